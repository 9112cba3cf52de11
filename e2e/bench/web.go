package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"superlist/e2e/figures"
	"superlist/lists/archive"
)

const (
	fewPosts = 10_000

	// vocabulary is how many words the posts have, some of them often: Zipf's law.
	vocabulary = 200_000
	oftenWord  = 20
	rareWord   = 150_000
)

// web measures the pages of an archive: all of them, those that one post more changes,
// a request, and a search. -archive says how many posts there are.
func (b *bench) web() error {
	few, err := b.archive("pages-few", min(fewPosts, b.archived))
	if err != nil {
		return err
	}
	many, err := b.archive("pages", b.archived)
	if err != nil {
		return err
	}
	fmt.Println()
	for _, a := range []*archived{few, many} {
		took, cpu, err := a.pages()
		if err != nil {
			return err
		}
		most := 60 * float64(a.posts) / 100_000
		what := fmt.Sprintf("%d posts to pages and to the index of words", a.posts)
		fmt.Printf("  %-58s %8.1f s  (CPU %.1f s)  %s\n", what, took.Seconds(), cpu.Seconds(), b.note(figures.Figure{What: what, Unit: "s", Ours: took.Seconds(), Want: most}))
		var cpus []time.Duration
		for range 20 {
			if err := a.add(1); err != nil {
				return err
			}
			_, cpu, err := a.pages()
			if err != nil {
				return err
			}
			cpus = append(cpus, cpu)
		}
		what = fmt.Sprintf("one post more than %d, with the start of superlist", a.posts)
		one := inMS(median(cpus))
		fmt.Printf("  %-58s %8.1f ms of CPU  %s\n", what, one, b.note(figures.Figure{What: what, Unit: "ms of CPU", Ours: one, Want: 50}))
	}
	floor := &contender{name: "an empty CGI program with net/http", argv: []string{b.bin + "/floorweb"}, env: cgi("/dev/")}
	id := many.request("superlist-web, a Message-ID", "/dev/5000@mail.example.com/", "Location: ")
	rows := []*contender{floor, id}
	for _, q := range [][2]string{{"a word of many posts", word(oftenWord)}, {"a word of few", word(rareWord)}, {"a phrase", "%22" + word(0) + "+" + word(1) + "%22"},
		{"two words that no post has", word(rareWord) + "+" + word(rareWord+1)}, {"the same among few posts", ""}} {
		a := many
		if q[1] == "" {
			a, q[1] = few, word(rareWord)+"+"+word(rareWord+1)
		}
		rows = append(rows, a.request("search, "+q[0], "/dev/search?q="+q[1], `role="search"`))
	}
	for _, a := range []*archived{few, many} { // as the user superlist answers requests
		if err := giveTo("nobody", a.dir, rows...); err != nil {
			return err
		}
	}
	if err := race(b.rounds, rows...); err != nil {
		return err
	}
	fmt.Printf("\nRequests, CGI, an archive of %d posts, %d rounds\n", many.posts, b.rounds)
	table(rows...)
	f, line := paired("a request for a Message-ID", id, floor)
	fmt.Println(line, "", b.note(want(f, 1.5)))
	for _, c := range rows[2:] {
		took := inMS(median(c.took))
		fmt.Printf("  %-58s %8.1f ms  %s\n", c.name, took, b.note(figures.Figure{What: c.name, Unit: "ms", Ours: took, Want: 100}))
	}
	return nil
}

// archived is a site whose list has a public archive.
type archived struct {
	*site
	posts int
	rand  *rand.Rand
	zipf  *rand.Zipf
}

func (b *bench) archive(name string, posts int) (*archived, error) {
	s, err := b.newSite(name, siteOptions{log: "none", members: 1, relay: "127.0.0.1:9",
		more: fmt.Sprintf("[web]\nrequests = true\nroot = %q", filepath.Join(b.work, name, "www"))})
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"www", "spool"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.superlist(nil, "list", "set", list, "web=anyone"); err != nil {
		return nil, err
	}
	a := &archived{site: s, rand: rand.New(rand.NewPCG(1, 2))}
	a.zipf = rand.NewZipf(a.rand, 1.1, 8, vocabulary-1)
	return a, a.add(posts)
}

// word is one of the vocabulary.
func word(i int) string {
	syllables := strings.Fields("ka lo mi ne ru ta so vi pe du ga hi jo ke la mo na ox pi qu re si tu ve wa xe yo zu bra cle")
	w := ""
	for i += len(syllables); i > 0; i /= len(syllables) {
		w += syllables[i%len(syllables)]
	}
	return w
}

func (a *archived) words(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(word(int(a.zipf.Uint64())) + map[bool]string{true: "\r\n", false: " "}[i%11 == 10])
	}
	return b.String()
}

// add puts posts into the archive: threads of eight, with quotes.
func (a *archived) add(n int) error {
	store := &archive.Store{Dir: filepath.Join(a.dir, "lists", "lists.example.org", "dev", "archive")}
	im, err := store.Import()
	if err != nil {
		return err
	}
	began := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	for range n {
		a.posts++
		i := a.posts
		answers := ""
		if i%8 != 0 {
			answers = fmt.Sprintf("In-Reply-To: <%d@mail.example.com>\r\n", i-1-i%3)
		}
		text := fmt.Sprintf("From: Person %d <p%d@example.com>\r\nSubject: Re: %s\r\nMessage-ID: <%d@mail.example.com>\r\n%s\r\nSomebody wrote:\r\n> %s\r\n\r\n%s\r\n",
			i%3000, i%3000, strings.ReplaceAll(a.words(5), "\r\n", " "), i, answers, strings.ReplaceAll(a.words(a.rand.IntN(160)), "\r\n", "\r\n> "), a.words(30+a.rand.IntN(200)))
		if err := im.Add(i, archive.Post{Time: began.Add(time.Duration(i) * 37 * time.Minute), Content: strings.NewReader(text)}); err != nil {
			return errors.Join(err, im.Close())
		}
	}
	return im.Close()
}

// pages writes the pages that are missing.
func (a *archived) pages() (took, cpu time.Duration, err error) {
	cmd := exec.Command(a.bin+"/superlist", "-c", a.config, "web") // with a list it would read the index to verify it
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("superlist web: %w: %s", err, out)
	}
	return time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// request asks superlist-web, whose answer has a text.
func (a *archived) request(name, uri, has string) *contender {
	return &contender{name: name, argv: []string{a.bin + "/superlist-web", "-c", a.config}, env: cgi(uri), check: func(out string) error {
		if !strings.Contains(out, has) {
			return fmt.Errorf("it says %.300s", out)
		}
		return nil
	}}
}

// cgi is how a web server asks a program (RFC 3875).
func cgi(uri string) []string {
	path, query, _ := strings.Cut(uri, "?")
	return []string{"GATEWAY_INTERFACE=CGI/1.1", "SERVER_PROTOCOL=HTTP/1.1", "REQUEST_METHOD=GET", "HTTP_HOST=lists.example.org", "HTTPS=on",
		"REQUEST_URI=" + uri, "SCRIPT_NAME=", "PATH_INFO=" + path, "QUERY_STRING=" + query}
}
