package cluster

import (
	"errors"
	"iter"
	"sync"
	"time"

	"superlist/queue/disk"
)

// ErrAway means that the database does not answer, or not in time: again later.
var ErrAway = errors.New("the database of the cluster is away")

// An Item is one part of a file: at most PartSize bytes of it, or of members the line of
// one member.
type Item struct {
	File    string // below the directory of its unit
	Part    string // eight hexadecimal digits; of a member the key; empty: the lines in front of the members
	Content []byte // nil: it is gone
	At      time.Time
	Version int64 // of the unit, when the item changed last
}

// A Sum is what the database says of an Item without its content.
type Sum struct {
	File, Part string
	Sum        [32]byte // SHA-256
	Gone       bool
	At         time.Time
	Version    int64
}

// A Unit is what the database says of a list, or of the site, whose name is empty.
type Unit struct {
	Name    string
	Version int64 // 0: nobody has put it there yet
	Born    int64 // its version when the list was made, after one of that name had been removed
	Purged  int64 // of what was gone at this version nothing is said any more
	Site    int64 // version of the site when the list was made or removed
	Gone    bool  // removed, or moved to another address
}

// A DB has the truth.
type DB interface {
	// Change begins a transaction in which nobody else changes these units. Whoever does
	// is waited for.
	Change(units []string) (Tx, error)
	// Look begins a transaction that sees one moment and changes nothing.
	Look() (Tx, error)
	// Units returns what there is of these, or all.
	Units(names ...string) ([]Unit, error)
	// News returns the units that may have changed since it gave a mark, and the next mark.
	// Without one it returns all.
	News(mark string) (units []Unit, next string, err error)
	// Purge forgets what was gone before a time. A host that has not been up to date since
	// compares its whole copy.
	Purge(before time.Time) error
}

// A Tx is a transaction. Its sequences must be read to their end, or left, before anything
// else is asked.
type Tx interface {
	// Units returns what there is of these units, or all.
	Units(names ...string) ([]Unit, error)
	// Lock makes one more unit part of a change, and returns what there is of it.
	Lock(unit string) ([]Unit, error)
	// Structure returns the lists that were made or removed after a version of the site.
	Structure(since int64) ([]Unit, error)
	// Items yields what has changed after a version, those that are gone too, in the order of
	// files and parts: in these files, or in all but members.
	Items(unit string, after int64, files ...string) iter.Seq2[Item, error]
	// Sums yields what there is of files, and of all files below directories, in that
	// order; without either of the whole unit but members.
	Sums(unit string, files, dirs []string) iter.Seq2[Sum, error]
	// Heads returns the parts of members that say which form it has: "" and "00000000".
	Heads(unit string) ([]Sum, error)
	// Put stores items with a version of their unit.
	Put(unit string, version int64, items iter.Seq2[Item, error]) error
	// Clear removes all that a unit has.
	Clear(unit string) error
	// Set stores what is to be known of a unit.
	Set(Unit) error
	// Commit ends the transaction. After an error it may have been committed or not.
	Commit() error
	// Rollback ends it without any change, and does nothing after Commit.
	Rollback()
}

// A Site is this host's copy of what the hosts share: the files below lists_dir. It
// implements disk.Shared.
type Site struct {
	Root string     // lists_dir
	Disk *disk.Disk // without Shared
	DB   DB
	// Applied, if set, is told which files of a unit have changed because other hosts have
	// changed them.
	Applied func(unit string, files []string)

	mu   sync.Mutex
	open map[string]*change // by unit
}

var _ disk.Shared = (*Site)(nil)
