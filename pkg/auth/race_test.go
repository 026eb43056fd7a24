//go:build race

package auth

// raceDetector: under it sync.Pool drops things on purpose, so allocations cannot be counted.
const raceDetector = true
