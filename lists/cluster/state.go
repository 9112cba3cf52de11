package cluster

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A state is that of the copy of a unit, in a file of its own: a version, and "changing"
// while its files may have more than that. Its lock, flock(2), is this host's lock of the
// unit.
type state struct {
	unit     string
	version  int64 // 0: this host has never had it
	changing bool

	file *disk.File
	disk *disk.Disk
}

// stateSize is the size of a state's file, so that each is written over the one before.
const stateSize = 32

const changing = "changing"

func (s *Site) stateFile(unit string) string {
	if unit == site {
		unit = ".site" // no domain has this name
	}
	return filepath.Join(s.Root, stateDir, unit)
}

// parseState parses a state. One that cannot be parsed was being written when the host
// went down, so that nobody knows what the files have.
func parseState(text string) (version int64, isChanging bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return 0, text != ""
	}
	version, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil || version < 0 || len(words) > 2 || len(words) == 2 && words[1] != changing || len(text) != stateSize {
		return 0, true
	}
	return version, len(words) == 2
}

// peek reads a state without its lock: it may be another one in the next moment.
func (s *Site) peek(unit string) (version int64, isChanging bool, err error) {
	text, _, err := disk.ReadRegular(s.stateFile(unit), unix.O_RDONLY|unix.O_NOFOLLOW, 2*stateSize)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	version, isChanging = parseState(string(text))
	return version, isChanging, err
}

// lock locks a unit on this host, and waits until others have released it.
func (s *Site) lock(unit string) (*state, error) {
	file := s.stateFile(unit)
	f, err := s.Disk.Keep(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.Disk.MakePath(filepath.Dir(file)); err == nil {
			f, err = s.Disk.Keep(file)
		}
	}
	if err != nil {
		return nil, err
	}
	st := &state{unit: unit, file: f, disk: s.Disk}
	if _, err = f.Lock(); err == nil {
		err = st.read()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return st, nil
}

func (st *state) read() error {
	text, err := io.ReadAll(io.NewSectionReader(st.file, 0, 2*stateSize))
	st.version, st.changing = parseState(string(text))
	return err
}

// write writes the state over the one before. It is not durable.
func (st *state) write(version int64, isChanging bool) error {
	text := strconv.FormatInt(version, 10)
	if isChanging {
		text += " " + changing
	}
	if _, err := st.file.WriteAt(fmt.Appendf(nil, "%-*s\n", stateSize-1, text), 0); err != nil {
		return err
	}
	st.version, st.changing = version, isChanging
	return nil
}

// mark says durably that the files change, unless that is said already.
func (st *state) mark() error {
	if st.changing {
		return nil
	}
	if err := st.write(st.version, true); err != nil {
		return err
	}
	if st.version > 0 {
		return st.file.Datasync()
	}
	if err := st.file.Sync(); err != nil { // it may be new
		return err
	}
	return st.disk.SyncDir(filepath.Dir(st.file.Name()))
}

// close releases the lock.
func (st *state) close() { st.file.Close() }
