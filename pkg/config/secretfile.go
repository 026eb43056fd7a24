package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	secretFile      = "secret"
	secretFileMode  = 0o600
	secretDirMode   = 0o700
	secretFileBytes = 48 // of randomness: 64 characters

	// secretFileWait is how long another process may take between creating and writing the file,
	// on file systems without hard links.
	secretFileWait = 2 * time.Second
)

// LoadOrCreateSecret returns the secret stored in dir. The first start creates it: 48 random bytes in base64,
// in the file "secret", readable by its owner only. Processes that start at the same time get the same secret.
//
// created is true if there was none. If a database exists already, the file was lost: nothing encrypted
// under the old secret can be decrypted.
//
// It returns an error if the file cannot be written or read, holds a weak secret, or can be read by others
// and its mode cannot be changed. The error never contains the secret.
func LoadOrCreateSecret(dir string) (secret string, created bool, err error) {
	return loadOrCreateSecret(dir, os.Link)
}

func loadOrCreateSecret(dir string, link func(from, to string) error) (secret string, created bool, err error) {
	if err := os.MkdirAll(dir, secretDirMode); err != nil {
		return "", false, fmt.Errorf("create the data folder: %w", err)
	}
	path := filepath.Join(dir, secretFile)
	secret, err = readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	err = createSecret(path, link)
	syncDir(dir)
	if errors.Is(err, fs.ErrExist) { // another process was first
		secret, err = readSecret(path)
		return secret, false, err
	}
	if err != nil {
		return "", false, fmt.Errorf("store the secret: %w", err)
	}
	secret, err = readSecret(path)
	return secret, err == nil, err
}

// createSecret creates the file atomically: it writes under another name, then links. It returns fs.ErrExist
// if another process created the file first.
func createSecret(path string, link func(from, to string) error) error {
	random := make([]byte, secretFileBytes)
	rand.Read(random) // never fails: it ends the process instead
	line := base64.StdEncoding.EncodeToString(random) + "\n"

	tmp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := writeAndClose(tmp, line); err != nil {
		return err
	}
	err = link(tmp.Name(), path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// No hard links here (exFAT, some network and mobile systems). A reader may see the file empty for a moment, and waits.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, secretFileMode)
	if err != nil {
		return err
	}
	return writeAndClose(file, line)
}

// syncDir makes a new name in dir survive a power cut, where the system supports it: the data encrypted under
// the secret survives too.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // not every file system knows how
		_ = d.Close()
	}
}

func writeAndClose(f *os.File, text string) error {
	_, err := f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func readSecret(path string) (string, error) {
	if err := keepPrivate(path); err != nil {
		return "", err
	}
	deadline := time.Now().Add(secretFileWait)
	for {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		secret := strings.TrimSpace(string(data))
		if wrong := weakness(secret); wrong == "" {
			return secret, nil
		} else if strings.HasSuffix(string(data), "\n") || time.Now().After(deadline) {
			return "",
				fmt.Errorf("%s %s: restore it from a backup; if there is none, delete it to have a new one made, "+
					"after which stored provider keys must be entered and gateway tokens made again", path, wrong)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// keepPrivate removes the permissions of group and others.
func keepPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 { // Windows has no such bits
		return nil
	}
	if err := os.Chmod(path, secretFileMode); err != nil {
		return fmt.Errorf("others can read the gateway's secret, and that cannot be changed: %w", err)
	}
	return nil
}
