package lists

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"superlist/lists/ledger"
)

// TestKeyRace: of many who make the key at once all have the same one, and it
// is the one on disk.
func TestKeyRace(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	for range 20 {
		os.Remove(l.Book().KeyFile())
		keys := make([][]byte, 8)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				key, err := l.Key()
				if err != nil {
					t.Error(err)
				}
				keys[i] = key
			})
		}
		wg.Wait()
		onDisk, err := l.ReadKey()
		if err != nil || len(onDisk) != ledger.KeyBytes {
			t.Fatalf("%x, %v", onDisk, err)
		}
		for i := range keys {
			if !bytes.Equal(keys[i], onDisk) {
				t.Fatalf("maker %d has %x, the disk %x", i, keys[i], onDisk)
			}
		}
	}
	onlyThere(t, l.Dir, "key", "list.toml", "members")
}

func TestKeyFile(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	if info, err := os.Stat(l.Book().KeyFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, text := range []string{"", "\n", "5e5e", strings.Repeat("xy", 32), strings.Repeat("5e", 31) + "5"} {
		os.WriteFile(l.Book().KeyFile(), []byte(text), 0o600)
		// Never made anew by itself: every address that is on its way would be
		// worth nothing.
		if key, err := l.Key(); err == nil || !strings.Contains(err.Error(), l.Book().KeyFile()+": must be 64 hexadecimal digits; remove the file") {
			t.Errorf("%q: %x, %v", text, key, err)
		}
	}
	os.WriteFile(l.Book().KeyFile(), []byte(" "+strings.Repeat("5E", 32)+"\r\n"), 0o600)
	if key, err := l.Key(); err != nil || !bytes.Equal(key, bytes.Repeat([]byte{0x5e}, 32)) {
		t.Errorf("by hand: %x, %v", key, err)
	}
	os.RemoveAll(l.Dir)
	if _, err := l.Key(); err == nil {
		t.Error("a key for a list that is gone")
	}
	if _, err := os.Stat(filepath.Dir(l.Book().KeyFile())); err == nil {
		t.Error("the directory of a list that is gone is back")
	}
}
