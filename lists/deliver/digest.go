package deliver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/copies"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// Digests. A post to a list that has members who want digests waits in the
// list's archive, or where it keeps none in digest/posts, until its digest goes
// out. What waits is in digest/state, and a reminder of the spool says when to look
// at it. Whoever changes the state holds the lock, the flock(2) of digest.
//
// A digest is made like this: the state says which posts it has and when it was
// begun (Upto, At), then it is written as an outbound message whose name follows
// from that, then the state says that it is made. Until then nobody sends it. So
// whoever finds after a crash that a digest is being made either writes the
// same again, or finds it in the spool, where it has waited; and once the state
// says that it is made nobody writes it again.
const (
	// maxDigestPosts is how many posts a digest has: mlmmj's digestmaxmails.
	maxDigestPosts = 50

	// maxDigestBytes is how large the posts of a digest are together: Postfix takes
	// messages of 10,240,000 bytes unless it is told otherwise. A post that is larger
	// goes alone, as it went to the others.
	maxDigestBytes = 8 << 20

	// digestsAtOnce is how many lists are looked at before posts have their turn
	// again: at midnight there may be many.
	digestsAtOnce = 20

	// oldPost is how much older than the first post that waits one may be that this
	// list has not sent itself, as far as is known, to be in a digest.
	oldPost = 24 * time.Hour

	// digestRetry is when a list whose digest could not be made is looked at again.
	digestRetry = 15 * time.Minute
)

// A digestState is what a list knows of its digests.
type digestState struct {
	Issue   int       `json:"issue"`   // number of the last digest
	Own     bool      `json:"own"`     // the posts are in digest/posts, not in the archive
	Through int       `json:"through"` // the last post that was in a digest
	First   int       `json:"first"`   // the first that waits; 0: none does
	Since   time.Time `json:"since"`   // when it began to
	Upto    int       `json:"upto"`    // the last post of the digest that is being made; 0: none is
	At      time.Time `json:"at"`      // when that was begun
}

// digests are the digests of a list, under its lock.
type digests struct {
	r   *Runner
	l   *lists.List
	dir string
	digestState
}

func digestDir(l *lists.List) string { return filepath.Join(l.Dir, "digest") }

// lockDigests takes the lock of a list's digests and reads what there is. It ends
// with unlock or the process.
func (r *Runner) lockDigests(l *lists.List) (d *digests, unlock func(), err error) {
	d = &digests{r: r, l: l, dir: digestDir(l)}
	if err := r.Spool.Disk.MakeDir(d.dir); err != nil {
		return nil, nil, err
	}
	if unlock, err = r.Spool.Disk.Lock(d.dir); err != nil {
		return nil, nil, err
	}
	if d.digestState, err = readDigestState(l); err != nil {
		unlock()
		return nil, nil, err
	}
	return d, unlock, nil
}

// maxDigestState is more than a state has.
const maxDigestState = 4 << 10

func readDigestState(l *lists.List) (s digestState, err error) {
	f, info, err := disk.OpenRegular(filepath.Join(digestDir(l), "state"), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	text := make([]byte, min(info.Size(), maxDigestState))
	if _, err := f.ReadAt(text, 0); err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w; remove it, and digests begin anew with the next post", f.Name(), err)
	}
	return s, nil
}

// write makes the state durable.
func (d *digests) write() error {
	text, err := json.Marshal(d.digestState)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(d.dir, "state")); err != nil { // the first: of the directory too
		if err := d.r.Spool.Disk.SyncDir(d.l.Dir); err != nil {
			return err
		}
	}
	return d.r.Spool.Disk.Replace(filepath.Join(d.dir, "state"), append(text, '\n'))
}

// posts is where the posts that wait are.
func (d *digests) posts() *archive.Store {
	s := postsOf(d.l)
	if d.Own {
		s.Dir = filepath.Join(d.dir, "posts")
	}
	s.Disk = d.r.Spool.Disk
	return s
}

// keepForDigest keeps a post, and has it wait for a digest.
func (r *Runner) keepForDigest(m *queue.Message, l *lists.List, id string, made *copies.Copies) (number int, err error) {
	d, unlock, err := r.lockDigests(l)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if own := !l.Archive; d.Own != own {
		// Somebody has switched the archive on or off: what waits in the other
		// place goes out first, and does not wait there any more.
		if _, err := d.send(); err != nil {
			return 0, err
		}
		d.Own, d.Through = own, 0
	}
	if number, err = r.archive(m, d.posts(), id, made); err != nil || number <= d.Through {
		return number, err // one that was in a digest before a crash
	}
	if d.First == 0 || number < d.First {
		if d.First == 0 {
			d.Since = r.now()
		}
		d.First = number
		if err := d.write(); err != nil {
			return 0, err
		}
	}
	return number, d.remind(number)
}

// digestID names the digest of a number that was begun at a time: nobody without
// the list's key can make it, and no two are the same.
func digestID(l *lists.List, issue int, at time.Time) (string, error) {
	word, err := l.Seal("digest", strconv.Itoa(issue), at.UTC().Format(time.RFC3339Nano))
	return "digest-" + strconv.Itoa(issue) + "-" + word, err
}

// A Digested is a digest that was made.
type Digested struct {
	List    string `json:"list"`
	Issue   int    `json:"issue"`
	First   int    `json:"first"` // numbers of posts
	Last    int    `json:"last"`
	Posts   int    `json:"posts"`
	Members int    `json:"members"`
	ID      string `json:"id"` // in the queue
}

// numbers are the posts of a digest, as people write them.
func (d Digested) Numbers() string {
	if d.First == d.Last {
		return strconv.Itoa(d.First)
	}
	return strconv.Itoa(d.First) + "-" + strconv.Itoa(d.Last)
}

// send makes digests of what waits, until nothing does.
func (d *digests) send() (made []Digested, err error) {
	last, err := d.posts().Last()
	if err != nil {
		return nil, err
	}
	for d.First > 0 && d.First <= last {
		one, err := d.one(last)
		if err != nil {
			return made, err
		}
		if one.Members > 0 {
			made = append(made, one)
		}
	}
	if d.First > 0 { // there are fewer posts than there were: somebody has taken the archive away
		d.First = 0
		if err := d.write(); err != nil {
			return made, err
		}
	}
	if d.Own {
		// Also what a run that was cut short has left.
		if _, err := d.posts().Prune(d.Through); err != nil {
			return made, err
		}
	}
	return made, nil
}

// one makes one digest. Without members it has no posts that wait either, but is
// not sent.
func (d *digests) one(last int) (Digested, error) {
	posts, err := d.plan(last)
	if err != nil {
		return Digested{}, err
	}
	id, err := digestID(d.l, d.Issue+1, d.At)
	if err != nil {
		return Digested{}, err
	}
	one := Digested{List: d.l.Addr.Address(), Issue: d.Issue + 1, First: d.First, Last: d.Upto, Posts: len(posts), ID: id}
	there, err := d.r.Spool.Exists(queue.Outbound, id)
	switch {
	case err != nil:
		return one, err
	case there: // before a crash
		one.Members, err = countRecipients(d.r.Spool, id)
	default:
		one.Members, err = d.compose(one, posts)
	}
	if err != nil {
		return one, err
	}
	if one.Members > 0 {
		d.Issue++
	}
	d.Through, d.First, d.Upto, d.At = d.Upto, d.Upto+1, 0, time.Time{}
	if d.First > last {
		d.First = 0
	}
	return one, d.write()
}

func countRecipients(s *queue.Spool, id string) (int, error) {
	m, err := s.Open(queue.Outbound, id)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	todo, done, failed, err := m.Count()
	return todo + done + failed, err
}

// plan says which posts the next digest has, and writes that down, if nobody has
// before a crash.
func (d *digests) plan(last int) (posts []archive.Entry, err error) {
	to := last
	if d.Upto > 0 {
		to = d.Upto
	}
	size := int64(0)
	upto := to // where nothing is left of all posts
	for e, err := range d.posts().Entries(d.First, to) {
		if err != nil {
			return nil, err
		}
		if e.Removed || e.ID == "" && e.Time.Before(d.Since.Add(-oldPost)) {
			continue // brought in from elsewhere meanwhile: superlist import
		}
		if d.Upto == 0 && len(posts) > 0 && (len(posts) == maxDigestPosts || size+e.Size > maxDigestBytes) {
			upto = e.Number - 1
			break
		}
		size += e.Size
		posts = append(posts, e)
	}
	if d.Upto > 0 {
		return posts, nil
	}
	d.Upto, d.At = upto, d.r.now()
	return posts, d.write()
}

// maxPassed is how many lists a digest names: as many as a message may pass hosts.
const maxPassed = lists.MaxHops

// passed are the lists that the posts have come through in digests: this one, and
// those that a digest among them names. What marks a post, Delivered-To, is inside
// the digest and not on it: two lists that get each other's digests would send them
// to and fro for ever, each with all others in it.
func (d *digests) passed(entries []archive.Entry) ([]string, error) {
	passed := []string{d.l.Addr.Address()}
	for _, e := range entries {
		f, _, err := d.posts().Open(e.Number)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		raw, _, err := rewrite.ReadHeader(f)
		f.Close()
		if err != nil { // it came into the archive by another way than a session
			continue
		}
		for _, field := range rewrite.Parse(raw).All("X-Loop") {
			list, ok := smtp.ParseAddress(strings.ToLower(field.Value()))
			if ok && len(passed) < maxPassed && !slices.Contains(passed, list.Address()) {
				passed = append(passed, list.Address())
			}
		}
	}
	return passed, nil
}

// compose writes the digest for the members who want it, and says how many they
// are.
func (d *digests) compose(one Digested, entries []archive.Entry) (members int, err error) {
	l := d.l
	mail := letter.Digest{From: d.posts()}
	requireTLS := false
	for _, e := range entries {
		requireTLS = requireTLS || e.RequireTLS // RFC 8689, 4.2.1: as the post itself
		mail.Posts = append(mail.Posts, letter.Post{Number: e.Number, Author: letter.UnkeyedWord(e.From), Subject: letter.UnkeyedWord(e.Subject)})
	}
	if mail.Passed, err = d.passed(entries); err != nil {
		return 0, err
	}
	for i := range mail.Bounds {
		word, err := l.Seal("bound", one.ID, strconv.Itoa(i))
		if err != nil {
			return 0, err
		}
		mail.Bounds[i] = "=_" + word // no text in quoted-printable has it: RFC 2045, 6.7
	}
	if err := mail.Look(); err != nil || len(mail.Posts) == 0 {
		return 0, err
	}
	if mail.Letter, err = d.letter(one); err != nil {
		return 0, err
	}
	from, err := l.BounceAddress(d.At)
	if err != nil {
		return 0, err
	}
	head := queue.Head{
		ID: one.ID, Arrived: d.At, Client: "digest", From: from, RequireTLS: requireTLS, List: l.Addr, VERP: true,
		After: []queue.After{{What: queue.AfterDigest, ID: one.ID}},
	}
	if mail.EightBit() {
		head.Body = "8BITMIME"
	}
	w, err := d.r.Spool.Create(head)
	if err != nil {
		return 0, err
	}
	if members, err = d.toMembers(w); err == nil && members > 0 {
		if _, err = w.Write(copies.Fields(l).Apply(rewrite.Parse(mail.Header()))); err == nil {
			err = mail.Body(w)
		}
	}
	if err != nil || members == 0 {
		w.Abort()
		return 0, err
	}
	d.r.Log.Printf(maillog.Info, "digest id=%s list=%s issue=%d posts=%s members=%d size=%d",
		one.ID, l.Addr, one.Issue, one.Numbers(), members, w.Size())
	return members, w.Commit(queue.Outbound)
}

// toMembers puts in who gets a digest today.
func (d *digests) toMembers(w *queue.Writer) (n int, err error) {
	members, err := d.l.Members()
	if err != nil {
		return 0, err
	}
	defer members.Close()
	day := d.r.now().UTC().Format(time.DateOnly)
	for member, err := range members.Unique() {
		if err == nil && member.Digest && member.Present(day) {
			n++
			err = w.Rcpt(smtp.Rcpt{Path: member.Path})
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// letter is the text of a digest.
func (d *digests) letter(one Digested) (letter.Letter, error) {
	l := d.l
	text, err := letter.Find("digest", l.Language, l.Dir)
	if err != nil {
		d.r.Log.Printf(maillog.Warning, "texts list=%s error=%q", l.Addr, err)
		if text.Body == "" {
			return letter.Letter{}, err
		}
	}
	words := outbox.Words(l)
	words["issue"], words["posts"] = strconv.Itoa(one.Issue), one.Numbers()
	return letter.Letter{
		Text: text, Words: words, From: l.Addr, Name: l.Addr.Address(), To: []smtp.Path{l.Addr},
		ListID: l.ID(), Host: d.r.Site.Hostname, ID: one.ID, Date: d.At,
	}, nil
}
