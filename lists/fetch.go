package lists

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/lists/archive"
	"superlist/smtp"
)

// Verbs that have a list send what it keeps: old posts, and to its owners its
// members.
const (
	VerbGet    = "get"    // dev+get-12, dev+get-12-20
	VerbIndex  = "index"  // dev+index, dev+index-12
	VerbThread = "thread" // dev+thread-12, and from a later post of it on dev+thread-12-20
	VerbList   = "list"   // the members
)

// Fetches says that a verb has the list send what it keeps.
func Fetches(verb string) bool {
	switch verb {
	case VerbGet, VerbIndex, VerbThread, VerbList:
		return true
	}
	return false
}

// fromArchive says that a verb is about old posts.
func fromArchive(verb string) bool { return verb != VerbList && Fetches(verb) }

// maxNumber is the longest number of a post that is read, in digits: there is no
// archive of a billion posts, and a number that is too long for an int is none.
const maxNumber = 9

// parseNumbers reads what stands behind get, index or thread: N, N-M, or as ezmlm
// has it N_M. Both are 0 where nothing stands there.
func parseNumbers(s string) (from, to int, ok bool) {
	if s == "" {
		return 0, 0, true
	}
	first, second, two := strings.Cut(strings.Replace(s, "_", "-", 1), "-")
	if from, ok = parseNumber(first); !ok || !two {
		return from, from, ok
	}
	to, ok = parseNumber(second)
	return from, to, ok && from <= to
}

func parseNumber(s string) (n int, ok bool) {
	if s == "" || len(s) > maxNumber || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, _ = strconv.Atoi(s)
	return n, n > 0
}

var replyWhichPost = smtp.Reply{Code: 550, Enhanced: "5.1.1",
	Text: "say which post you want by its number, like get-12, get-12-20, index-12 or thread-12"}

// FetchCommand reads a verb that Fetches with what stands behind it. ok is false
// where that is no number of a post.
func FetchCommand(verb, numbers string) (c Command, ok bool) {
	c.Verb = verb
	if verb == VerbList {
		return c, numbers == ""
	}
	c.From, c.To, ok = parseNumbers(numbers)
	if verb == VerbIndex && c.From != c.To || verb != VerbIndex && c.From == 0 {
		ok = false
	}
	return c, ok
}

// mayFetch decides on a command that Fetches as far as its address tells. Only here
// a session opens an archive.
func (l *List) mayFetch(c Command) error {
	switch {
	case c.Verb == VerbList:
		return nil
	case !l.Archive:
		return l.refusal("5.7.1", "%s keeps no posts", l.Addr.Address())
	case l.ArchiveAccess == ArchiveNobody:
		return l.refusal("5.7.1", "old posts of %s are not sent by mail", l.Addr.Address())
	}
	first, last, err := l.Posts().Range()
	if errors.Is(err, archive.ErrDamaged) {
		return nil // deliver finds another way, or says so
	}
	switch {
	case err != nil:
		return err
	case first > last:
		return l.refusal("5.1.1", "%s has no old posts yet", l.Addr.Address())
	case c.From > last || c.From > 0 && c.To < first:
		return l.refusal("5.1.1", "%s has no post %d, but %d to %d", l.Addr.Address(), c.From, first, last)
	}
	return nil
}

// mayGet says whether the list sends what a command asks for to this author, who
// has proved nothing: but it goes to him, whoever asks.
func (l *List) mayGet(c Command, author smtp.Path) error {
	if c.Verb == VerbList {
		if contains(l.owners, author) {
			return nil
		}
		return l.refusal("5.7.1", "only owners hear who is on %s, and %s is none", l.Addr.Address(), author.Address())
	}
	if l.ArchiveAccess == ArchiveAnyone {
		return nil
	}
	known, err := l.Knows(author)
	if err == nil && !known {
		err = l.refusal("5.7.1", "only members get old posts of %s, and %s is none", l.Addr.Address(), author.Address())
	}
	return err
}

// How much of what a list keeps is sent in a day. Its letters count by their size.
const (
	// FetchUnit is how many bytes of a letter count as one; each begun counts.
	FetchUnit = 256 << 10

	// MaxFetched is how much one person gets: enough to read up, and too little to
	// have somebody's mailbox filled in his name.
	MaxFetched = 50

	// MaxFetchedStranger is how much somebody gets whom the list does not know, where
	// anyone may ask: it may be that he did not, and wants none of it.
	MaxFetchedStranger = 4

	// MaxFetchedNetwork is how much is asked for from one network, and
	// MaxFetchedCustomer from the /48 in which a /64 lies: a fifth of the list's.
	MaxFetchedNetwork  = 200
	MaxFetchedCustomer = MaxFetchedList / 5

	// MaxFetchedList is how much a list sends.
	MaxFetchedList = 5000
)

// Refusals of what was asked for too often, for good as those of letters are.
var (
	replyFetched        = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has sent you as much today as one person gets in a day; ask again tomorrow"}
	replyFetchedNetwork = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "your network has asked the list for too many old posts today; try again tomorrow"}
	replyFetchedList    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has sent too many old posts today; try again tomorrow"}
)

// fetchLimits are those of one letter.
func (l *List) fetchLimits(a Letter, now time.Time) []limit {
	day := dayOf(now)
	in := func(name string) string { return filepath.Join(l.askedDir(), name) }
	most := int64(MaxFetched)
	if l.ArchiveAccess == ArchiveAnyone {
		if known, err := l.Knows(a.To); !known || err != nil {
			most = MaxFetchedStranger
		}
	}
	who, _ := person(a.To)
	limits := []limit{
		{in("sent-" + day), MaxFetchedList, replyFetchedList},
		{in("sent-" + day + "-" + hash("who", who)), most, replyFetched},
	}
	return append(limits, ofNetwork(l.askedDir(), "sent-"+day+"-net", a.Network, MaxFetchedNetwork, MaxFetchedCustomer, replyFetchedNetwork)...)
}
