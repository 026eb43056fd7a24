package saved

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// The names of the files: usage-ID.rows as its process left it, and with the id of the process that has claimed it.
const (
	filePrefix = "usage-"
	fileSuffix = ".rows"
	claimed    = ".claimed-"
	damaged    = ".damaged"
	temporary  = ".tmp"

	fileMode   = 0o600
	folderMode = 0o700
)

// Write saves the records in a new file of the folder. After it has returned they survive a power cut.
func Write(folder string, records []store.Record) (path string, err error) {
	if len(records) == 0 {
		return "", nil
	}
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return "", err
	}
	var text bytes.Buffer
	for _, r := range records {
		line, err := encode(r)
		if err != nil {
			return "", err
		}
		text.Write(line)
		text.WriteByte('\n')
	}
	path = filepath.Join(folder, filePrefix+records[0].ID.String()+fileSuffix)
	if err := writeSynced(path+temporary, text.Bytes()); err != nil {
		os.Remove(path + temporary)
		return "", err
	}
	return path, os.Rename(path+temporary, path)
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// Claim takes a file of the folder that no running process has taken, and returns its records. path is "" if there is
// none. Two processes that take one file all the same do no harm, as records are written once. The caller removes the
// file when all are written.
func Claim(folder string) (path string, records []store.Record, err error) {
	files, err := filepath.Glob(filepath.Join(folder, filePrefix+"*"+fileSuffix+"*"))
	if err != nil {
		return "", nil, err
	}
	for _, file := range files {
		name, owner, isClaimed := strings.Cut(file, claimed)
		if strings.HasSuffix(file, temporary) || strings.HasSuffix(file, damaged) || isClaimed && runs(owner) {
			continue
		}
		path := name + claimed + strconv.Itoa(os.Getpid())
		if err := os.Rename(file, path); errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		} else if err != nil {
			return "", nil, err
		}
		records, err := read(path)
		return path, records, err
	}
	return "", nil, nil
}

// SetAside keeps a file that could not be read whole from being claimed again.
func SetAside(path string) error {
	name, _, _ := strings.Cut(path, claimed)
	return os.Rename(path, name+damaged)
}

// runs reports whether another process with the id runs on this machine. One with our own id ended before we began.
func runs(owner string) bool {
	pid, err := strconv.Atoi(owner)
	if err != nil || pid == os.Getpid() {
		return false
	}
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

// maxLine bounds a record in a file: the result of a job and what encloses it.
const maxLine = 256 << 20

func read(path string) ([]store.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	var records []store.Record
	for n := 1; lines.Scan(); n++ {
		r, err := decode(lines.Bytes())
		if err != nil {
			return records, fmt.Errorf("line %d: %w", n, err)
		}
		records = append(records, r)
	}
	return records, lines.Err()
}
