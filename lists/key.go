package lists

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/disk"
	"superlist/lists/token"
)

// keyBytes is the length of a list's secret: as long as HMAC-SHA-256's output.
const keyBytes = 32

// maxKey is more than a key file has: a longer key, with white space about it.
const maxKey = 4096

func (l *List) keyFile() string { return filepath.Join(l.Dir, "key") }

// readKey is the list's secret.
func (l *List) readKey() ([]byte, error) {
	f, _, err := disk.OpenRegular(l.keyFile(), unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < keyBytes {
		return nil, fmt.Errorf("%s: must be %d hexadecimal digits; remove the file and a new one is made", l.keyFile(), 2*keyBytes)
	}
	return key, nil
}

// key is the list's secret, made if there is none yet: a list may be created by
// hand.
func (l *List) key() ([]byte, error) {
	key, err := l.readKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	random := make([]byte, keyBytes)
	if _, err := unix.Getrandom(random, 0); err != nil {
		return nil, err
	}
	// A name of its own, also where two have the same process number (threads,
	// containers): who opens the other's file writes into what may be the key
	// already.
	f, err := os.CreateTemp(l.Dir, ".key-")
	if err != nil {
		return nil, err
	}
	f.Close()
	tmp := f.Name()
	defer os.Remove(tmp)
	if err := writeSynced(tmp, []byte(hex.EncodeToString(random)+"\n")); err != nil {
		return nil, err
	}
	// link(2) and not rename: of two processes that do this at once one wins,
	// and both then read the same key.
	if err := os.Link(tmp, l.keyFile()); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	// Before a return path is made with it: a report on one whose key a crash
	// took would be refused.
	if err := syncDir(l.Dir); err != nil {
		return nil, err
	}
	return l.readKey()
}

// Seal is a word for these parts that nobody without the list's key can make, and
// that is always the same: token.Len letters and digits.
func (l *List) Seal(parts ...string) (string, error) {
	key, err := l.key()
	if err != nil {
		return "", err
	}
	return token.Make(key, append([]string{"seal", l.Addr.Key()}, parts...)...), nil
}

// writeSynced writes a new file of mode 0600 and makes its content durable.
func writeSynced(path string, content []byte) error {
	os.Remove(path) // what a crash has left, and whatever else it is: nothing is written through a link
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}
