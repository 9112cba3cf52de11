package disk

// Shared is told of changes to files that other hosts have too: see package cluster.
// What lies elsewhere is none of its business.
type Shared interface {
	// Begin begins a change below dirs, and waits while somebody else, here or on
	// another host, changes something there.
	Begin(dirs ...string) (Change, error)

	// Changing is asked before a path is changed, and before one is renamed or removed.
	// An error means that nobody has begun to change what lies there.
	Changing(path string) error

	// Fresh calls read while this host's copy of what lies below dir is what the other
	// hosts have, and nobody changes it.
	Fresh(dir string, read func() error) error

	// Stale is Fresh for when the other hosts cannot be asked: read sees what they had
	// when they were asked last.
	Stale(dir string, read func() error) error
}

// A Change is what happens between Begin and End.
type Change interface {
	// End tells the other hosts. After an error they may have been told or not, and what
	// was changed may be undone.
	End() error
}

// Begin begins a change below dirs, which end makes known to the other hosts that have
// the same files. Only after end without an error may anything follow from the change.
// Changes do not nest: see Within. Where no other host has these files it does nothing.
func (d *Disk) Begin(dirs ...string) (end func(*error), err error) {
	if d == nil || d.Shared == nil || d.within {
		return func(*error) {}, nil
	}
	change, err := d.Shared.Begin(dirs...)
	if err != nil {
		return nil, err
	}
	return func(err *error) {
		if told := change.End(); *err == nil {
			*err = told
		}
	}, nil
}

// Within returns the disk for those who have begun a change: it begins none.
func (d *Disk) Within() *Disk {
	if d == nil || d.Shared == nil {
		return d
	}
	within := *d
	within.within = true
	return &within
}

// Fresh calls read while what lies below dir is what the other hosts have.
func (d *Disk) Fresh(dir string, read func() error) error {
	if d == nil || d.Shared == nil || d.within {
		return read()
	}
	return d.Shared.Fresh(dir, read)
}

// Stale calls read while what lies below dir is what the other hosts had when they were
// asked last.
func (d *Disk) Stale(dir string, read func() error) error {
	if d == nil || d.Shared == nil || d.within {
		return read()
	}
	return d.Shared.Stale(dir, read)
}

// changes reports whether a system call changes what another host would see.
func changes(call string) bool {
	switch call {
	case "fsync", "fdatasync", "syncfs", "flock", "mkdir", "open":
		return false
	}
	return true
}
