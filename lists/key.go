package lists

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/lists/token"
	"superlist/queue/disk"
)

// maxKey is larger than any key file: a longer key, with white space around it.
const maxKey = 4096

// ReadKey returns the list's secret. fs.ErrNotExist means that it has none yet, and so
// has made no proof.
func (l *List) ReadKey() ([]byte, error) {
	if l.key != nil {
		return l.key, nil
	}
	file := l.Book().KeyFile()
	text, _, err := disk.ReadRegular(file, unix.O_RDONLY, maxKey)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < ledger.KeyBytes {
		return nil, fmt.Errorf("%s: must be %d hexadecimal digits; remove the file and a new one is made", file, 2*ledger.KeyBytes)
	}
	return key, nil
}

// Key is ReadKey for making a proof. A list that was created by hand has no key until
// then, and the Ledger makes it.
func (l *List) Key() ([]byte, error) {
	key, err := l.ReadKey()
	if !errors.Is(err, fs.ErrNotExist) || l.Ledger == nil {
		return key, err
	}
	if err := l.Ledger.MakeKey(l.Book()); err != nil {
		return nil, err
	}
	return l.ReadKey()
}

// WithKey returns the list with its key in memory, for making or checking many proofs.
func (l *List) WithKey() (*List, error) {
	c := *l
	var err error
	c.key, err = l.Key()
	return &c, err
}

// Seal returns a word for these parts that is always the same, and that nobody can make
// without the list's key: token.Len letters and digits.
func (l *List) Seal(parts ...string) (string, error) {
	key, err := l.Key()
	if err != nil {
		return "", err
	}
	return token.Make(key, append([]string{"seal", l.Addr.Key()}, parts...)...), nil
}
