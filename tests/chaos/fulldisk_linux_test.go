package chaos

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// The disk of a SQLite database fills up.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no small disk can be made here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	address := "sqlite:" + filepath.Join(disk, "gateway.db")
	w := newWorld(t, "DATABASE_URL="+address, address)
	w.under(func() {
		filler := filepath.Join(disk, "filler")
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 4096); err == nil; {
			_, err = f.Write(block)
		}
		f.Close()
		time.Sleep(duration(t))
		os.Remove(filler)
	})
}
