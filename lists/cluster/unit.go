package cluster

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// site is the name of the unit that has all that belongs to no list.
const site = ""

// maxFile is how long the name of a shared file may be, with the directories below that of
// its unit. No file of a list comes near it.
const maxFile = 512

// stateDir has the states of the copy: see state.
const stateDir = ".cluster"

// siteDirs and siteJournal are what hosts share of the names in lists_dir that begin with a dot.
var siteDirs = []string{".asked", ".outcomes"}

const siteJournal = ".acts"

// isPlain reports whether a name can be a shared file or directory. What has a dot in front
// is being written, or belongs to this host.
func isPlain(name string) bool {
	return name != "" && name[0] != '.' && utf8.ValidString(name) && !strings.Contains(name, "/") && strings.IndexFunc(name, unicode.IsControl) < 0
}

// isUnit reports whether a list can be a unit of this name.
func isUnit(name string) bool {
	domain, list, ok := strings.Cut(name, "/")
	return ok && isPlain(domain) && isPlain(list) && len(name) <= maxFile
}

// isShared reports whether hosts share a file of a unit, or of a directory the files below
// it. It decides what leaves this host, and what may come here.
func isShared(unit, file string) bool {
	if len(file) > maxFile {
		return false
	}
	words := strings.Split(file, "/")
	if unit == site {
		switch {
		case file == siteJournal, len(words) <= 2 && (words[0] == siteDirs[0] || words[0] == siteDirs[1]):
			words = words[1:]
		case len(words) > 2:
			return false
		}
	} else if slices.Contains(ownDirs, words[0]) {
		return false
	}
	for _, word := range words {
		if !isPlain(word) {
			return false
		}
	}
	return true
}

// ownDirs are what each host has of a list for itself: what its pages were made from, and
// posts that are being written before they are held.
var ownDirs = []string{"web", "tmp"}

// A place is what a path below lists_dir means.
type place struct {
	unit, file string // file is empty: the unit's directory
	list       string // the path is, or would be, the directory of this list, or a file in its place
}

// placeOf says what a path means. ok is false if hosts do not share it.
func (s *Site) placeOf(path string) (p place, ok bool) {
	rel, err := filepath.Rel(s.Root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return place{}, false
	}
	if rel == "." {
		return place{}, true
	}
	words := strings.SplitN(rel, "/", 3)
	switch {
	case words[0][0] == '.' || len(words) == 1:
		return place{file: rel}, isShared(site, rel)
	case len(words) == 2:
		return place{file: rel, list: rel}, isUnit(rel)
	}
	p = place{unit: words[0] + "/" + words[1], file: words[2]}
	return p, isUnit(p.unit) && isShared(p.unit, p.file)
}

// Shares returns the unit to which a file belongs. ok is false if hosts do not share it.
func (s *Site) Shares(path string) (unit string, ok bool) {
	p, ok := s.placeOf(path)
	return p.unit, ok && p.file != ""
}

// UnitOf returns the unit to which a directory belongs.
func (s *Site) UnitOf(dir string) (unit string, ok bool) {
	p, ok := s.placeOf(dir)
	if p.list != "" {
		return p.list, ok
	}
	return p.unit, ok
}

// dir returns the directory of a unit.
func (s *Site) dir(unit string) string { return filepath.Join(s.Root, unit) }

// path returns where a file of a unit is.
func (s *Site) path(unit, file string) string { return filepath.Join(s.Root, unit, file) }
