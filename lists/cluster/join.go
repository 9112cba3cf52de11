package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrOther means that this host has lists that its cluster does not have.
var ErrOther = errors.New("this host has lists that the cluster does not have")

// Join makes this host's files a copy of what the database has. What is here already must be
// the same, or nothing; with replace it makes way for what the database has.
func (s *Site) Join(replace bool, progress func(done, all int)) error {
	units, err := s.DB.Units()
	if err != nil {
		return err
	}
	there := make(map[string]bool)
	for _, u := range units {
		there[u.Name] = u.Version > 0 && !u.Gone
	}
	if !there[site] {
		return ErrNotInit
	}
	here := s.listed()
	if !replace {
		if others := slices.DeleteFunc(slices.Clone(here), func(unit string) bool { return there[unit] }); len(others) > 0 {
			return fmt.Errorf("%w: %s", ErrOther, some(others))
		}
		return s.FreshAll(progress)
	}
	all := slices.Clone(here)
	for _, u := range units {
		all = append(all, u.Name)
	}
	slices.Sort(all)
	for _, unit := range slices.Compact(all) {
		if err := s.distrust(unit); err != nil {
			return err
		}
	}
	return s.FreshAll(progress)
}

// distrust has the next who locks a unit compare all of its copy with the database.
func (s *Site) distrust(unit string) error {
	st, err := s.lock(unit)
	if err != nil {
		return err
	}
	defer st.close()
	st.version, st.changing = 0, false
	return st.mark()
}

// maxSome is how many names a sentence has.
const maxSome = 5

// some names the first of many.
func some(names []string) string {
	if len(names) <= maxSome {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxSome], ", "), len(names)-maxSome)
}

// Behind returns which units of the copy are not what the database has, as far as versions
// say. The site is the empty one.
func (s *Site) Behind() (behind []string, err error) {
	units, err := s.DB.Units()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{site: true}
	for _, u := range units {
		known[u.Name] = u.Version > 0
		fresh, err := s.isFresh(u)
		if err != nil {
			return nil, err
		}
		if !fresh {
			behind = append(behind, u.Name)
		}
	}
	for _, unit := range s.listed() {
		if !known[unit] {
			behind = append(behind, unit)
		}
	}
	return behind, nil
}
