package entry

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
	"superlist/smtp"
)

// SessionProgram is the program beside superlist-spawn that goes on with what
// superlist-spawn does not link.
const SessionProgram = "superlist-session"

// HandOver is how a session leaves for superlist-session: this process becomes
// that program, on the same descriptors, and finds the State in one more. It is
// a file in memory, since arguments and environment can be read by others, and
// there may be a password in it.
func HandOver(site *site.Site) func(*smtp.State) error {
	return func(state *smtp.State) error {
		path, err := beside()
		if err != nil {
			return err
		}
		if err := CheckProgram(path); err != nil {
			return err
		}
		fd, err := keep(state)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		err = unix.Exec(path, []string{SessionProgram, "-c", site.File(), "-state", strconv.Itoa(fd)}, os.Environ())
		return &os.PathError{Op: "exec", Path: path, Err: err}
	}
}

// beside is where superlist-session is: in the directory of this program.
func beside() (string, error) {
	self, err := os.Executable()
	return filepath.Join(filepath.Dir(self), SessionProgram), err
}

// CheckProgram says why a program had better not be run.
func CheckProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a program", path)
	case info.Mode()&0o002 != 0:
		return fmt.Errorf("%s may be written by everybody", path)
	}
	if err := unix.Access(path, unix.X_OK); err != nil {
		return &os.PathError{Op: "exec", Path: path, Err: err}
	}
	return nil
}

// keep puts a State where the next program finds it. Of all descriptors that we
// open this is the only one that outlives us.
func keep(state *smtp.State) (int, error) {
	text, err := state.MarshalText()
	if err != nil {
		return -1, err
	}
	fd, err := unix.MemfdCreate("superlist-state", 0)
	if err != nil {
		return -1, os.NewSyscallError("memfd_create", err)
	}
	for at := 0; at < len(text) && err == nil; {
		var n int
		n, err = unix.Pwrite(fd, text[at:], int64(at))
		at += n
	}
	if err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("pwrite", err)
	}
	return fd, nil
}

// Resume reads the State that HandOver left in a descriptor, and closes that.
func Resume(fd int) (*smtp.State, error) {
	if fd <= 2 {
		return nil, errors.New("-state is for superlist-spawn to say")
	}
	f := os.NewFile(uintptr(fd), "state")
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, smtp.MaxState+1))
	if err != nil {
		return nil, err
	}
	state := new(smtp.State)
	return state, state.UnmarshalText(text)
}
