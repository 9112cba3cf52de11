package edit

import (
	"path/filepath"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
)

// Forget takes away what lists, and the site, do not remember any more. One that fails
// keeps it from none of the others.
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
