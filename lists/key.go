package lists

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/token"
	"superlist/queue/disk"
)

// keyBytes is the length of a list's secret: as long as HMAC-SHA-256's output.
const keyBytes = 32

// maxKey is more than a key file has: a longer key, with white space about it.
const maxKey = 4096

func (l *List) keyFile() string { return filepath.Join(l.Dir, "key") }

// ReadKey is the list's secret.
func (l *List) ReadKey() ([]byte, error) {
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

// Key is the list's secret, made if there is none yet: a list may be created by
// hand.
func (l *List) Key() ([]byte, error) {
	key, err := l.ReadKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	random := make([]byte, keyBytes)
	if _, err := unix.Getrandom(random, 0); err != nil {
		return nil, err
	}
	// Of two processes that do this at once one wins, and both then read the same
	// key. It is safe before a return path is made with it: a report on one whose key
	// a crash took would be refused.
	if _, err := l.Disk.Place(l.keyFile(), "key-"+disk.Unique(), []byte(hex.EncodeToString(random)+"\n")); err != nil {
		return nil, err
	}
	return l.ReadKey()
}

// Seal is a word for these parts that nobody without the list's key can make, and
// that is always the same: token.Len letters and digits.
func (l *List) Seal(parts ...string) (string, error) {
	key, err := l.Key()
	if err != nil {
		return "", err
	}
	return token.Make(key, append([]string{"seal", l.Addr.Key()}, parts...)...), nil
}
