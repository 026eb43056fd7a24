//go:build !linux

package testproc

import "syscall"

func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}
