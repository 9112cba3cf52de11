package files

import (
	"encoding/hex"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// MakeKey implements ledger.Writer. Of two processes that do it at once one wins, and both
// then read the same key. It is on disk before a return path is made with it: a report on
// one whose key a crash took would be refused.
func (w Writer) MakeKey(b ledger.Book) error {
	random := make([]byte, ledger.KeyBytes)
	if _, err := unix.Getrandom(random, 0); err != nil {
		return err
	}
	_, err := w.Disk.Place(b.KeyFile(), "key-"+disk.Unique(), []byte(hex.EncodeToString(random)+"\n"))
	return err
}
