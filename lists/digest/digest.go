package digest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/mail/charset"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
)

const (
	// MaxPosts is how many posts a digest has: mlmmj's digestmaxmails.
	MaxPosts = 50

	// MaxBytes is how many bytes the posts of a digest have together: by default
	// Postfix accepts messages of 10,240,000 bytes. A larger post goes alone.
	MaxBytes = 8 << 20

	// atOnce is how many lists are handled before it is the posts' turn again: there
	// may be many at midnight.
	atOnce = 20

	// oldPost limits which posts that this list has not sent itself, as far as is
	// known, go into a digest: they must be at most this much older than the first
	// waiting post.
	oldPost = 24 * time.Hour

	// retry is when a list whose digest could not be made is tried again.
	retry = 15 * time.Minute
)

// A state is what a list knows about its digests.
type state struct {
	Issue   int       `json:"issue"`   // number of the last digest
	Own     bool      `json:"own"`     // the posts are in digest/posts, not in the archive
	Through int       `json:"through"` // the last post in a digest
	First   int       `json:"first"`   // the first waiting post; 0: none
	Since   time.Time `json:"since"`   // when it began to wait
	Upto    int       `json:"upto"`    // the last post of the digest being made; 0: none is being made
	At      time.Time `json:"at"`      // when making it began

	// Done says which of several hosts' attempts at the last digests counts: keepDone.
	Done []attempt `json:"done,omitempty"`
}

// An attempt is that of a host at a digest.
type attempt struct {
	Issue int       `json:"issue"`
	At    time.Time `json:"at"`
}

// keepDone is how many digests a host of a cluster remembers to have been made: more than a
// list sends while one of them can wait in a queue.
const keepDone = 100

// Digests are the digests of a site's lists.
type Digests struct {
	Site  *site.Site
	Spool *queue.Spool
	Log   *maillog.Log
	Now   func() time.Time
}

// digests are the digests of one list, under its lock.
type digests struct {
	*Digests
	l   *lists.List
	dir string
	state
}

func dirOf(l *lists.List) string { return filepath.Join(l.Dir, "digest") }

// lock locks a list's digests and reads their state. The lock ends with unlock or the
// process.
func (s *Digests) lock(l *lists.List) (d *digests, unlock func(*error), err error) {
	d = &digests{Digests: s, l: l, dir: dirOf(l)}
	if err := s.Spool.Disk.MakeDir(d.dir); err != nil {
		return nil, nil, err
	}
	if unlock, err = s.Spool.Disk.Lock(d.dir); err != nil {
		return nil, nil, err
	}
	d.l = l.Within()
	if d.state, err = readState(l); err != nil {
		unlock(&err)
		return nil, nil, err
	}
	return d, unlock, nil
}

// maxState is larger than any state.
const maxState = 16 << 10

func readState(l *lists.List) (s state, err error) {
	file := filepath.Join(dirOf(l), "state")
	text, _, err := disk.ReadRegular(file, unix.O_RDONLY|unix.O_NOFOLLOW, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s: %w; remove it, and digests begin anew with the next post", file, err)
	}
	return s, nil
}

// write makes the state durable.
func (d *digests) write() error {
	text, err := json.Marshal(d.state)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(d.dir, "state")); err != nil { // the first time, sync the directory too
		if err := d.Spool.Disk.SyncDir(d.l.Dir); err != nil {
			return err
		}
	}
	return d.Spool.Disk.Replace(filepath.Join(d.dir, "state"), append(text, '\n'))
}

// posts returns the store with the waiting posts.
func (d *digests) posts() *archive.Store {
	s := Archive(d.l)
	if d.Own {
		s.Dir = d.l.DigestPosts().Dir
	}
	s.Disk = d.Spool.Disk.Within()
	return s
}

// Archive returns a list's archive, for adding posts.
func Archive(l *lists.List) *archive.Store {
	posts := l.Posts()
	posts.Words = charset.Words
	return posts
}

// Keep keeps a post of a list, which add puts into a store, for a digest.
func (s *Digests) Keep(l *lists.List, add func(*archive.Store) (number int, err error)) (number int, err error) {
	d, unlock, err := s.lock(l)
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
	if own := !l.Archive; d.Own != own {
		// Somebody has switched the archive on or off: what waits in the other place is
		// sent first, and then no longer waits there.
		if _, err := d.send(); err != nil {
			return 0, err
		}
		d.Own, d.Through = own, 0
	}
	// The post waits before it is in the archive: if only that came first and the rest
	// failed, a later post might go into a digest before this one is tried again, and
	// nobody would get this one.
	wait := d.First == 0
	if wait {
		last, err := d.posts().Last()
		if err != nil {
			return 0, err
		}
		d.First, d.Since = last+1, d.Now()
		if err := d.write(); err != nil {
			return 0, err
		}
	}
	if number, err = add(d.posts()); err != nil {
		return number, err
	}
	was := number <= d.Through // in a digest before a crash
	switch {
	case was && wait:
		d.First = 0
	case was:
		return number, nil
	case number < d.First:
		d.First = number
	default:
		return number, d.remind(number)
	}
	if err := d.write(); err != nil || was {
		return number, err
	}
	return number, d.remind(number)
}

// idOf names the digest with a number whose making began at a time. Nobody can make
// such a name without the list's key, and no two are the same.
func idOf(l *lists.List, issue int, at time.Time) (string, error) {
	word, err := l.Seal("digest", strconv.Itoa(issue), at.UTC().Format(time.RFC3339Nano))
	return "digest-" + strconv.Itoa(issue) + "-" + word, err
}

// A Made is a digest that was made.
type Made struct {
	List    string `json:"list"`
	Issue   int    `json:"issue"`
	First   int    `json:"first"` // numbers of posts
	Last    int    `json:"last"`
	Posts   int    `json:"posts"`
	Members int    `json:"members"`
	ID      string `json:"id"` // in the queue
}

// Numbers returns the numbers of a digest's posts, as people write them.
func (d Made) Numbers() string {
	if d.First == d.Last {
		return strconv.Itoa(d.First)
	}
	return strconv.Itoa(d.First) + "-" + strconv.Itoa(d.Last)
}

// send makes digests until no post waits.
func (d *digests) send() (made []Made, err error) {
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
	if d.First > 0 { // there are fewer posts than before: somebody has removed the archive
		d.First = 0
		if err := d.write(); err != nil {
			return made, err
		}
	}
	if d.Own {
		// This includes what an interrupted run has left.
		if _, err := d.posts().Prune(d.Through); err != nil {
			return made, err
		}
	}
	return made, nil
}

// one makes one digest. Without members the posts no longer wait, but nothing is sent.
func (d *digests) one(last int) (Made, error) {
	posts, err := d.plan(last)
	if err != nil {
		return Made{}, err
	}
	id, err := idOf(d.l, d.Issue+1, d.At)
	if err != nil {
		return Made{}, err
	}
	one := Made{List: d.l.Addr.Address(), Issue: d.Issue + 1, First: d.First, Last: d.Upto, Posts: len(posts), ID: id}
	there, err := d.Spool.Exists(queue.Outbound, id)
	switch {
	case err != nil:
		return one, err
	case there: // before a crash
		one.Members, err = countRecipients(d.Spool, id)
	default:
		one.Members, err = d.compose(one, posts)
	}
	if err != nil {
		return one, err
	}
	if one.Members > 0 {
		d.Issue++
		if d.Site.InCluster() {
			d.Done = append(d.Done, attempt{d.Issue, d.At})
			d.Done = d.Done[max(0, len(d.Done)-keepDone):]
		}
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

// plan decides which posts the next digest has, and records it, unless that was done
// before a crash.
func (d *digests) plan(last int) (posts []archive.Entry, err error) {
	to := last
	if d.Upto > 0 {
		to = d.Upto
	}
	size := int64(0)
	upto := to // if none of the posts is left
	for e, err := range d.posts().Entries(d.First, to) {
		if err != nil {
			return nil, err
		}
		if e.Removed || e.ID == "" && e.Time.Before(d.Since.Add(-oldPost)) {
			continue // meanwhile imported from elsewhere: superlist import
		}
		if d.Upto == 0 && len(posts) > 0 && (len(posts) == MaxPosts || size+e.Size > MaxBytes) {
			upto = e.Number - 1
			break
		}
		size += e.Size
		posts = append(posts, e)
	}
	if d.Upto > 0 {
		if d.Site.InCluster() { // it may be another host's, which has given its digest that name
			d.At = d.Now()
			return posts, d.write()
		}
		return posts, nil
	}
	d.Upto, d.At = upto, d.Now()
	return posts, d.write()
}
