package people

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/letter"
	"superlist/lists/mail/compose"
	"superlist/lists/outbox"
	"superlist/lists/quota"
	"superlist/smtp"
)

const (
	// MaxGet is how many old posts go into one letter, and MaxGetBytes how large it
	// grows; the letter says where the rest is. A single post is sent whatever its
	// size.
	MaxGet      = 100
	MaxGetBytes = 4 << 20

	// maxIndex is how many lines a letter with an index has.
	maxIndex = 100

	// MaxRoll is how many members an owner gets by mail: as many as a person may still
	// look through. The operator's command shows them all.
	MaxRoll = 10000
)

// fetch sends something the list keeps to whoever asks for it.
func (a *act) fetch() error {
	if a.Verb == lists.VerbList {
		return a.roll()
	}
	posts := a.l.Posts()
	first, last, err := posts.Range()
	if err != nil {
		return err
	}
	switch a.Verb {
	case lists.VerbIndex:
		at := a.From
		if at == 0 {
			at = last
		}
		return a.index(posts, max(first, min(at-maxIndex/2+1, last-maxIndex+1)), last)
	case lists.VerbThread:
		thread, err := posts.Thread(a.From)
		if errors.Is(err, fs.ErrNotExist) {
			break // removed, but not pruned
		}
		if err != nil {
			return err
		}
		from := max(a.To, first)
		if a.To == a.From {
			from = first
		}
		return a.get("archive-thread", posts, entries(thread, from), func(n int) string {
			return fmt.Sprintf("%s-%d-%d", lists.VerbThread, thread[0].Number, n)
		})
	}
	return a.get("archive-get", posts, posts.Entries(a.From, a.To), func(n int) string {
		return fmt.Sprintf("%s-%d-%d", lists.VerbGet, n, min(a.To, last))
	})
}

// entries yields the entries from a number on.
func entries(list []archive.Entry, from int) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for _, e := range list {
			if e.Number >= from && !yield(e, nil) {
				return
			}
		}
	}
}

// get sends as many posts as fit into a letter; next makes the verb that asks for the
// others.
func (a *act) get(text string, posts *archive.Store, which iter.Seq2[archive.Entry, error], next func(int) string) error {
	n := outbox.Draft{Text: text}
	var size int64
	var numbers []int
	words := map[string]string{}
	for e, err := range which {
		if err != nil {
			return err
		}
		if len(numbers) > 0 && (len(numbers) == MaxGet || size+e.Size > MaxGetBytes) {
			words["next"] = a.l.Verb(next(e.Number)).Address()
			break
		}
		part, form, err := keptPost(posts, a.l, e)
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody has removed it
		}
		if err != nil {
			return err
		}
		if form.NeedsEightBit() {
			n.Body = "8BITMIME"
		}
		n.RequireTLS = n.RequireTLS || e.RequireTLS
		n.Parts = append(n.Parts, part)
		numbers = append(numbers, e.Number)
		size += e.Size
	}
	if len(numbers) == 0 {
		n.Text = "archive-none"
	}
	words["posts"] = spans(numbers)
	return a.send(n, size, words)
}

// keptPost makes a part of a letter from a post in the archive.
func keptPost(posts *archive.Store, l *lists.List, e archive.Entry) (p letter.Part, form compose.Form, err error) {
	f, _, err := posts.Open(e.Number)
	if err != nil {
		return p, form, err
	}
	defer f.Close()
	if form, err = compose.FormOf(f); err != nil {
		return p, form, err
	}
	return letter.Part{
		Name: fmt.Sprintf("%s-%d.eml", l.Addr.Local, e.Number), Form: form,
		Open: func() (io.ReadCloser, error) {
			f, _, err := posts.Open(e.Number)
			return f, err
		},
	}, form, nil
}

// index sends some lines of the index.
func (a *act) index(posts *archive.Store, from, last int) error {
	to := min(from+maxIndex-1, last)
	var b strings.Builder
	for e, err := range posts.Entries(from, to) {
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%6d  %s  %s: %s\n", e.Number, e.Time.UTC().Format(time.DateOnly), letter.UnkeyedWord(shown(e.From)), letter.UnkeyedWord(e.Subject))
	}
	words := map[string]string{"posts": fmt.Sprintf("%d-%d", from, to)}
	if from == to {
		words["posts"] = strconv.Itoa(to)
	}
	if first, _, err := posts.Range(); err == nil && from > first {
		words["earlier"] = a.l.Verb(fmt.Sprintf("%s-%d", lists.VerbIndex, max(first, from-maxIndex/2-1))).Address()
	}
	return a.send(outbox.Draft{Text: "archive-index", Quote: b.String()}, int64(b.Len()), words)
}

// shown returns the author of a post: the name in From, or else the address.
func shown(from string) string {
	if name, _, ok := strings.Cut(from, " <"); ok && name != "" {
		return strings.Trim(name, `"`)
	}
	return strings.Trim(from, "<>")
}

// roll sends the members to an owner.
func (a *act) roll() error {
	members, err := a.l.Members()
	if err != nil {
		return err
	}
	defer members.Close()
	var b strings.Builder
	n := 0
	for m, err := range members.Unique() {
		if err != nil {
			return err
		}
		if n++; n <= MaxRoll {
			b.WriteString(m.String() + "\n")
		}
	}
	words := map[string]string{"count": strconv.Itoa(n)}
	if n > MaxRoll {
		words["left"] = strconv.Itoa(n - MaxRoll)
	}
	return a.send(outbox.Draft{Text: "members", Quote: b.String()}, int64(b.Len()), words)
}

// send writes the letter, unless whoever asks has had too many today.
func (a *act) send(n outbox.Draft, size int64, words map[string]string) error {
	words["address"] = a.Author.Address()
	n.ID, n.To, n.Words, n.At, n.Client, n.Answers = a.Cause, []smtp.Path{a.Author}, words, a.At, a.Client, a.Answers
	return a.allowed(quota.Request{Kind: lists.VerbGet, To: a.Author, Size: size}, func() error {
		a.out.Result, a.out.Letters = Answered, []outbox.Draft{n}
		return nil
	})
}

// spans writes numbers as people do: 3, 5-7, 12.
func spans(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(numbers[i]))
		if end > i {
			b.WriteString("-" + strconv.Itoa(numbers[end]))
		}
		i = end + 1
	}
	return b.String()
}
