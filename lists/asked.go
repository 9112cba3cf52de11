package lists

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/smtp"
)

// What is remembered of the letters that a list has sent to people who have not
// proved anything, so that nobody can have it write to a stranger again and
// again. asked/ has
//
//	who-HASH          one for each address and kind of letter; the id of the
//	                  message that caused it; good for AskAgain from its mtime on
//	all-DAY           a byte for each letter of the day
//	net-DAY-HASH      a byte for each letter that a client's network caused
//	sent-DAY[-HASH]   a byte for each FetchUnit of old posts that was sent: in all,
//	                  to one person, because of one network
const (
	// AskAgain is how long somebody who does not answer is left alone.
	AskAgain = 24 * time.Hour

	// MaxAskedList is how many such letters a list writes in a day: more than
	// a list of ten thousand wins and loses, and too few to be of use to
	// whoever wants to flood somebody's mail system.
	MaxAskedList = 2000

	// MaxAskedNetwork is how many of them one network causes: the /24 or /64 of
	// a school whose class subscribes.
	MaxAskedNetwork = 100
)

// Refusals of letters. Each is for good: whoever is told to try again later by
// a 4xx has his mail system try for days.
var (
	replyAskedNetwork = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "your network has asked the list for too much today; try again tomorrow"}
	replyAskedList    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has been asked for too much today; try again tomorrow"}
)

// A Letter is what somebody wants the list to write to him.
type Letter struct {
	Kind    string       // subscribe, unsubscribe, help …: the verb
	To      smtp.Path    // where it would go
	Network netip.Prefix // of the client that asks; zero where it says nothing
	Cause   string       // id of the message that asks; empty while it has none
	Size    int64        // of what Fetches: in bytes
}

// Network is the part of the network that a client stands for: the /24 of an
// IPv4 address, the /64 of an IPv6 one. It is zero for this host itself, which
// hands on everybody's mail.
func Network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	if !client.IsValid() || client.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if client.Is4() {
		bits = 24
	}
	p, _ := client.WithZone("").Prefix(bits)
	return p
}

func (l *List) askedDir() string { return filepath.Join(l.Dir, "asked") }

// askedFiles are the three files of a letter.
func (l *List) askedFiles(a Letter, now time.Time) (who, all, net string) {
	day := strconv.FormatInt(now.Unix()/86400, 10)
	who = filepath.Join(l.askedDir(), "who-"+hash(a.Kind, a.To.Key()))
	all = filepath.Join(l.askedDir(), "all-"+day)
	if a.Network.IsValid() {
		net = filepath.Join(l.askedDir(), "net-"+day+"-"+hash(a.Network.String()))
	}
	return who, all, net
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// mayWrite says whether the letter may be written now. A refusal is a smtp.Reply.
// It changes nothing.
func (l *List) mayWrite(a Letter, now time.Time) error {
	if Fetches(a.Kind) {
		return l.mayFetchNow(a, now)
	}
	who, all, net := l.askedFiles(a, now)
	info, err := os.Lstat(who)
	switch {
	case err == nil && now.Sub(info.ModTime()) < AskAgain && now.Sub(info.ModTime()) > -AskAgain:
		cause, err := os.ReadFile(who)
		if err != nil {
			return err
		}
		if string(cause) == a.Cause && a.Cause != "" {
			return nil // done again after a crash
		}
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
			"a letter about this went to %s on %s already; please look for it, also among the junk, or ask again tomorrow",
			a.To.Address(), info.ModTime().UTC().Format("2 January, 15:04 UTC"))}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if size(all) >= MaxAskedList {
		return replyAskedList
	}
	if net != "" && size(net) >= MaxAskedNetwork {
		return replyAskedNetwork
	}
	return nil
}

func size(file string) int64 {
	info, err := os.Lstat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Ask is mayWrite, and remembers the letter.
func (l *List) Ask(a Letter, now time.Time) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.mayWrite(a, now); err != nil {
		return err
	}
	who, all, net := l.askedFiles(a, now)
	if old, err := os.ReadFile(who); err == nil && string(old) == a.Cause && a.Cause != "" {
		return nil // counted already
	}
	if err := os.Mkdir(l.askedDir(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	first := all
	if Fetches(a.Kind) {
		first = l.fetchCounts(a, now)[0].file
	}
	if size(first) == 0 {
		l.sweepAsked(now)
	}
	if Fetches(a.Kind) {
		return l.countFetch(a, now)
	}
	if err := count(all, net); err != nil {
		return err
	}
	// Synced last: what a crash takes with it is a count.
	if err := writeSynced(who, []byte(a.Cause)); err != nil {
		return err
	}
	if err := os.Chtimes(who, now, now); err != nil {
		return err
	}
	return syncDir(l.askedDir())
}

// Answered forgets that somebody was asked, since he has answered.
func (l *List) Answered(kind string, to smtp.Path) {
	who, _, _ := l.askedFiles(Letter{Kind: kind, To: to}, time.Time{})
	os.Remove(who)
}

// sweepAsked removes what says nothing any more, once a day.
func (l *List) sweepAsked(now time.Time) {
	entries, _ := os.ReadDir(l.askedDir())
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) >= AskAgain {
			os.Remove(filepath.Join(l.askedDir(), e.Name()))
		}
	}
}
