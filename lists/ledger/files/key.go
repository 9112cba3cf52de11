package files

import (
	"encoding/hex"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// MakeKey implements ledger.Writer. If two processes do it at once, one wins and both
// read the same key. The key is on disk before any return path is made with it: if a
// crash lost the key, reports to that return path would be refused.
func (w Writer) MakeKey(b ledger.Book) (err error) {
	end, err := w.Disk.Begin(b.Dir)
	if err != nil {
		return err
	}
	defer end(&err)
	random := make([]byte, ledger.KeyBytes)
	if _, err := unix.Getrandom(random, 0); err != nil {
		return err
	}
	_, err = w.Disk.Place(b.KeyFile(), "key-"+disk.Unique(), []byte(hex.EncodeToString(random)+"\n"))
	return err
}
