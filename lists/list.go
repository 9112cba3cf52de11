package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"superlist/lists/archive"
	"superlist/lists/config"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/queue/disk"
	"superlist/smtp"
)

// MaxName is the longest name of a list, in octets. Verbs and proofs make an address
// longer, and RFC 5321, 4.5.3.1.1 allows 64 octets for a local part. Only a return
// path, which contains a whole member address (VERP), exceeds that.
const MaxName = 40

// A List is an open list.
type List struct {
	Config
	Addr smtp.Path // in lower case, the domain as in the DNS
	Dir  string

	delimiter string
	Disk      *disk.Disk    // the site's
	Ledger    ledger.Writer // the site's
	owners    []smtp.Path
	mods      []smtp.Path
	aliases   []smtp.Path
	replyTo   smtp.Path // where reply_to names an address
	as        smtp.Path // the other address by which it was opened; null: its own
	key       []byte    // of WithKey
	lookup    members.Lookup
}

// Within returns the list for whoever holds its lock: see disk.Disk.
func (l *List) Within() *List {
	within := *l
	within.Disk = l.Disk.Within()
	if l.Ledger != nil {
		within.Ledger = l.Ledger.Within()
	}
	return &within
}

// ReplyNoList refuses an address that belongs to no list here.
var ReplyNoList = smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "there is no such list here; check the spelling"}

// validName reports whether s can be the name of a list, and thus of a directory:
// letters, digits and ._- in lower case, beginning with a letter or digit, at most
// MaxName octets, and without the site's delimiter.
func (s Directory) validName(name string) bool {
	if name == "" || len(name) > MaxName || strings.Contains(name, s.Delimiter) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		alnum := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

// IsDotString reports whether the name of a list needs no quotes: RFC 5321, 4.1.2.
func IsDotString(name string) bool {
	return !strings.Contains(name, "..") && !strings.HasSuffix(name, ".")
}

// NeedsQuotes reports whether most mail programs cannot write the list's name. Only a
// list made by hand can have such a name.
func (l *List) NeedsQuotes() bool { return !IsDotString(l.Addr.Local) }

// Dir returns the directory of a list, whether it exists or not. The error is
// ReplyNoList for an address that cannot be a list's.
func (s Directory) Dir(addr smtp.Path) (string, error) {
	name := smtp.Fold(addr.Local)
	domain, ok := smtp.ASCIIDomain(addr.Domain)
	if !s.validName(name) || !ok {
		return "", ReplyNoList
	}
	return filepath.Join(s.Root, domain, name), nil
}

// Open opens the list with this address or alias, without a verb. The error is
// ReplyNoList if there is none. It reads one directory, however many lists there are.
func (s Directory) Open(addr smtp.Path) (*List, error) {
	dir, err := s.Dir(addr)
	if err != nil {
		return nil, err
	}
	l, err := s.openDir(addr, dir)
	if errors.Is(err, syscall.ENOTDIR) {
		return s.openAlias(addr, dir)
	}
	return l, err
}

// At returns a list in a directory, as if its list.toml were empty.
func (s Directory) At(dir string) *List {
	return &List{Config: Defaults(), Dir: dir, delimiter: s.Delimiter, Disk: s.Disk, Ledger: s.Ledger}
}

// openDir opens the list in a directory. syscall.ENOTDIR means that dir is not a
// directory.
func (s Directory) openDir(addr smtp.Path, dir string) (*List, error) {
	l := s.At(dir)
	l.Addr = smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
	text, err := config.Read(l.ConfigFile(), &l.Config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.missing(addr, dir)
	}
	if err != nil {
		return nil, err
	}
	return l, l.check(text)
}

// missing distinguishes a list that does not exist from one that has lost something: if
// a disk is not mounted, or a backup is being put back, mail must not be refused permanently.
func (s Directory) missing(addr smtp.Path, dir string) error {
	for _, lost := range []string{s.Root, filepath.Join(dir, "list.toml")} {
		_, err := os.Stat(lost)
		_, parent := os.Stat(filepath.Dir(lost))
		if errors.Is(err, fs.ErrNotExist) && (lost == s.Root || parent == nil) {
			return fmt.Errorf("%s: %w", addr, &config.Error{File: lost, Text: "it is not there"})
		}
	}
	if err := s.restoring(); err != nil {
		return fmt.Errorf("%s: %w", addr, err)
	}
	return fmt.Errorf("%s: %w", addr, ReplyNoList)
}

// ConfigFile returns the path of the list's list.toml.
func (l *List) ConfigFile() string { return filepath.Join(l.Dir, "list.toml") }

// IsOwner reports whether an address is an owner's.
func (l *List) IsOwner(p smtp.Path) bool {
	return smtp.ContainsPath(l.owners, p)
}

// OwnerPaths returns the owners, as addresses to send to.
func (l *List) OwnerPaths() []smtp.Path { return l.owners }

// ModeratorPaths returns those who decide about held posts: the moderators or, if there
// are none, the owners.
func (l *List) ModeratorPaths() []smtp.Path {
	if len(l.mods) > 0 {
		return l.mods
	}
	return l.owners
}

// VerbOf returns the verb in an address that may be the list's.
func (l *List) VerbOf(p smtp.Path) string {
	_, verb, _ := strings.Cut(p.Local, l.delimiter)
	return verb
}

// AliasPaths returns the list's aliases.
func (l *List) AliasPaths() []smtp.Path { return l.aliases }

// Posts returns the list's archive, which need not exist. It opens nothing.
func (l *List) Posts() *archive.Store {
	return &archive.Store{Dir: filepath.Join(l.Dir, "archive"), Disk: l.Disk, OptOut: l.ArchiveOptOut}
}

// OptsOut reports whether the archive leaves a post out since its author asks for that.
func (l *List) OptsOut(h rewrite.Header) bool {
	return l.Archive && l.ArchiveOptOut && archive.OptsOut(h)
}

// DigestPosts returns the posts that wait for a digest of a list without an archive.
func (l *List) DigestPosts() *archive.Store {
	s := l.Posts()
	s.Dir, s.OptOut = filepath.Join(l.Dir, "digest", "posts"), false
	return s
}

// ID returns the list's identifier: RFC 2919, dev.lists.example.org.
func (l *List) ID() string { return l.Addr.Local + "." + l.Addr.Domain }

// Verb returns an address of the list: Verb("owner") is dev+owner@lists.example.org.
func (l *List) Verb(verb string) smtp.Path {
	return smtp.Path{Local: l.Addr.Local + l.delimiter + verb, Domain: l.Addr.Domain}
}

// All opens every list of the site, by domain and name. For a list that cannot be
// opened it yields the error.
func (s Directory) All(yield func(addr smtp.Path, l *List, err error) bool) error {
	domains, err := os.ReadDir(s.Root)
	if err != nil {
		return err
	}
	for _, domain := range domains {
		if !domain.IsDir() || !smtp.ValidDomain(domain.Name()) {
			continue
		}
		names, err := os.ReadDir(filepath.Join(s.Root, domain.Name()))
		if err != nil {
			return err
		}
		for _, name := range names {
			if !name.IsDir() || !s.validName(name.Name()) {
				continue
			}
			addr := smtp.Path{Local: name.Name(), Domain: domain.Name()}
			l, err := s.Open(addr)
			if !yield(addr, l, err) {
				return nil
			}
		}
	}
	return nil
}

// Count returns roughly how many lists there are, without opening any.
func (s Directory) Count() (n int) {
	domains, _ := os.ReadDir(s.Root)
	for _, domain := range domains {
		if names, err := os.ReadDir(filepath.Join(s.Root, domain.Name())); err == nil && domain.Name()[0] != '.' {
			n += len(names)
		}
	}
	return n
}

// Strays returns directories of lists that no address can lead to, because of their
// name.
func (s Directory) Strays() (dirs []string, err error) {
	found, err := filepath.Glob(filepath.Join(s.Root, "*", "*", "list.toml"))
	for _, file := range found {
		dir := filepath.Dir(file)
		name, domain := filepath.Base(dir), filepath.Base(filepath.Dir(dir))
		if name[0] == '.' || domain[0] == '.' { // of a list being made or removed
			continue
		}
		if ascii, ok := smtp.ASCIIDomain(domain); ascii != domain || !ok || !s.validName(name) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, err
}
