package edit

import (
	"path/filepath"

	"superlist/lists"
	"superlist/queue/disk"
	"superlist/smtp"
)

// pointHere makes aliases lead to the list. If one is already a list, or leads
// elsewhere, pointHere returns an error and leaves no new alias.
func pointHere(l *lists.List, aliases []smtp.Path) (err error) {
	var made []smtp.Path
	defer func() {
		if err != nil {
			unpoint(l, made)
		}
	}()
	for _, alias := range aliases {
		if alias.Key() == l.Addr.Key() {
			continue
		}
		file, err := newDir(l.In(), alias)
		if err != nil {
			return inputError("aliases: %v", err)
		}
		if direct, here := l.LeadsHere(file); direct {
			continue
		} else if here { // by way of a former address: a move was interrupted
			if err := l.Disk.Replace(file, pointer(l)); err != nil {
				return err
			}
			continue
		}
		first, err := placePointer(l, file)
		if err != nil {
			return err
		}
		if !first {
			return inputError("aliases: %s is a list already, or another address of one", alias.Address())
		}
		made = append(made, alias)
	}
	return nil
}

// placePointer makes a file that leads to this list. first is false if the name is
// taken.
func placePointer(l *lists.List, file string) (first bool, err error) {
	if err := makeDomain(l.In(), filepath.Dir(file)); err != nil {
		return false, err
	}
	return l.Disk.Place(file, filepath.Base(file)+"-"+disk.Unique(), pointer(l))
}

// pointer returns the content of such a file.
func pointer(l *lists.List) []byte { return []byte(l.Addr.Address() + "\n") }

// unpoint removes the aliases' files that lead to the list.
func unpoint(l *lists.List, aliases []smtp.Path) error {
	for _, alias := range aliases {
		file, err := l.In().Dir(alias)
		if err != nil {
			continue
		}
		if _, here := l.LeadsHere(file); here {
			if err := l.Disk.RemoveDurably(file); err != nil {
				return err
			}
			disk.Discard(filepath.Dir(file)) // fails while the domain has others
		}
	}
	return nil
}
