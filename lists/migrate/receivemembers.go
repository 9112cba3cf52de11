package migrate

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
)

func (in *receiving) members() error {
	var roll members.Roster
	var comments []string
	err := eachLine(in.tar, '\n', func(n int, line []byte, long bool) {
		in.step("members", n, in.head.Members)
		text := strings.TrimSpace(string(line))
		m, ok := members.Parse(text)
		switch {
		case text == "":
		case strings.HasPrefix(text, "#") && !long:
			comments = append(comments, text)
		case !ok || long:
			in.report.leaveLine("members", n, short(text)+" is not a member")
		default:
			roll.Add(m)
		}
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrParcel, err)
	}
	roll.Join(unite)
	if in.Into != nil && !in.Again {
		if err := in.report.LeaveOut(in.Into, &roll); err != nil {
			return err
		}
	}
	in.report.Members = roll.Len()
	if in.Into == nil {
		return in.list.Enrol(&roll, comments...)
	}
	if in.DryRun {
		in.report.There, err = countThere(in.Into, &roll)
	} else {
		var added int
		added, err = edit.Enrol(in.Into, &roll)
		in.report.There = roll.Len() - added
	}
	in.report.Members -= in.report.There
	return err
}

// countThere counts who is on a list already.
func countThere(l *lists.List, roll *members.Roster) (n int, err error) {
	members, err := l.Members()
	if err != nil {
		return 0, err
	}
	defer members.Close()
	for m := range roll.All() {
		_, there, err := members.Find(m.Path)
		if err != nil {
			return 0, err
		}
		if there {
			n++
		}
	}
	return n, nil
}

// unite makes one member of two entries for one address: he gets what he gets by
// either.
func unite(a, b members.Member) members.Member {
	var words []string
	name := ""
	each := getsEach(a) || getsEach(b)
	for _, word := range append(slices.Clone(a.Words), b.Words...) {
		switch {
		case strings.HasPrefix(word, "name="):
			if name == "" {
				name = word
			}
		case slices.Contains(words, word), each && (word == wordDigest || word == wordNoMail),
			word == wordNoMail && (slices.Contains(a.Words, wordDigest) || slices.Contains(b.Words, wordDigest)):
		default:
			words = append(words, word)
		}
	}
	if name != "" {
		words = append(words, name)
	}
	m, _ := member(a.Path.Address(), words...)
	return m
}

// Words behind a member's address.
const (
	wordNoMail    = "nomail"
	wordDigest    = "digest"
	wordNoOwn     = "noown"
	wordNoCopy    = "nocopy"
	wordOnce      = "once"
	wordModerated = "moderated"
)

// getsEach reports whether a member gets every post by itself.
func getsEach(m members.Member) bool {
	return !m.NoMail && !slices.Contains(m.Words, wordDigest)
}

// member makes a member of an address and words; false if they could not be a line.
func member(address string, words ...string) (members.Member, bool) {
	return members.Parse(strings.Join(append([]string{address}, words...), " "))
}

// named returns the word for a person's name, if there is one.
func named(name string) []string {
	name = maillog.Words(name)
	if name == "" {
		return nil
	}
	return []string{"name=" + name}
}
