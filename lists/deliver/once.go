package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"superlist/lists"
	"superlist/lists/copies"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/rewrite"
)

// once prevents that a person who wants to get each post once gets one several times
// because it names several lists. The list that sends first records whose member got
// it, and the other lists ask it. A post is the same if its author, its Message-ID and
// its body are: somebody who knows only a Message-ID cannot use it to keep a mail from
// others.
//
// A list records this after committing what it sends. If a process dies in between, the
// other lists send the post too: somebody may get it twice, but nobody loses it.
type once struct {
	r       *Runner
	l       *lists.List
	post    string
	others  []other
	had     map[string]bool // who got it from another list
	sent    []string        // who gets it from this one
	skipped int
}

// An other is another list that the post names.
type other struct {
	*lists.List
	members *members.File
}

// maxOthers is how many other lists of a post are checked. An author who names more of
// them is read more than once.
const maxOthers = 20

// perRecord is for how many people a record of the ledger has room.
const perRecord = 2000

// onceOf returns the once of a post for one list. It does nothing for a post that names
// no other list, or that cannot be recognized.
func (r *Runner) onceOf(m *message.Message, l *lists.List, made *copies.Copies) (*once, error) {
	o := &once{r: r, l: l, had: make(map[string]bool)}
	id := strings.TrimSpace(made.Came.Get("Message-ID"))
	if id == "" {
		return o, nil
	}
	if err := o.find(made.Came); err != nil || len(o.others) == 0 {
		return o, err
	}
	body, err := m.BodyReader()
	if err != nil {
		return o, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return o, err
	}
	o.post = ledger.Hash(authorOf(made.Came, m.From).Key(), id, hex.EncodeToString(sum.Sum(nil)))
	for _, of := range o.others {
		if err := o.recall(of.List); err != nil {
			return o, err
		}
	}
	return o, nil
}

// find finds the other lists that To and Cc name.
func (o *once) find(h rewrite.Header) error {
	seen := map[string]bool{o.l.Addr.Key(): true}
	for _, name := range []string{"To", "Cc"} {
		for _, f := range h.All(name) {
			paths, _ := rewrite.Addresses(f.Value())
			for _, p := range paths {
				d, err := lists.Of(o.r.Site).Resolve(p)
				if err != nil || d.Purpose != lists.Post || seen[d.List.Addr.Key()] || len(o.others) == maxOthers {
					continue
				}
				seen[d.List.Addr.Key()] = true
				all, err := d.List.Members()
				if err != nil {
					return err
				}
				o.others = append(o.others, other{d.List, all})
			}
		}
	}
	return nil
}

// recall reads to whom another list has sent the post.
func (o *once) recall(l *lists.List) error {
	for k := 0; ; k++ {
		record, ok, err := l.Book().Recall(ledger.Sent, o.name(k), o.r.now())
		if err != nil || !ok {
			return err
		}
		_, persons, _ := strings.Cut(record.Text, "\n")
		for line := range strings.Lines(persons) {
			o.had[strings.TrimSuffix(line, "\n")] = true
		}
	}
}

func (o *once) name(k int) string { return fmt.Sprintf("%s-%d", o.post, k) }

// wants reports whether a member wants each post once.
func (o *once) wants(m members.Member) bool { return m.Once || o.r.Site.Once }

// skips reports whether a member already has the post.
func (o *once) skips(m members.Member) bool {
	if len(o.had) == 0 || !o.wants(m) || !o.had[ledger.Hash(m.Path.Key())] {
		return false
	}
	o.skipped++
	return true
}

// sends records that a member gets the post, if another list needs to know.
func (o *once) sends(m members.Member) error {
	for _, of := range o.others {
		there, ok, err := of.members.Find(m.Path)
		if err != nil {
			return err
		}
		if ok && o.wants(there) {
			o.sent = append(o.sent, ledger.Hash(m.Path.Key()))
			break
		}
	}
	return nil
}

// done records who gets the post, which is in the outbound box. If the list has removed
// something from it, the others send something different, and nothing is recorded. If
// recording fails, somebody gets the post twice.
func (o *once) done(c string, made *copies.Copies) {
	if o.l.Anonymous || made.Taken > 0 {
		return
	}
	for k := 0; k*perRecord < len(o.sent); k++ {
		some := o.sent[k*perRecord : min(len(o.sent), (k+1)*perRecord)]
		text := c + "\n" + strings.Join(some, "\n") + "\n"
		err := o.r.Site.Ledger(o.r.Spool.Disk).Remember(o.l.Book(), ledger.Sent, o.name(k), o.r.now(), func(ledger.Record, bool) (string, error) { return text, nil })
		if err != nil {
			o.r.Log.Printf(maillog.Err, "trouble list=%s error=%q", o.l.Addr, err)
			return
		}
	}
}

// close closes the other lists' files.
func (o *once) close() {
	for _, of := range o.others {
		of.members.Close()
	}
}

// String says for the log how many have the post from another list.
func (o *once) String() string {
	if o.skipped == 0 {
		return ""
	}
	return fmt.Sprintf(" once=%d", o.skipped)
}
