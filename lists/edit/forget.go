package edit

import (
	"path/filepath"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
)

// Forget deletes expired records of the site and of every list. If one of them fails,
// the others are still done; the first error is returned.
func Forget(d lists.Directory, now time.Time) error {
	w := d.Ledger
	first := w.Sweep(ledger.OfSite(d.Root), now)
	files, err := filepath.Glob(filepath.Join(d.Root, "*", "*", "list.toml"))
	if first == nil {
		first = err
	}
	for _, file := range files {
		if err := w.Sweep(ledger.OfList(filepath.Dir(file)), now); err != nil && first == nil {
			first = err
		}
	}
	for _, a := range ledger.Agendas(d.QueueDir) {
		if err := w.SweepAgenda(a, now); err != nil && first == nil {
			first = err
		}
	}
	return first
}
