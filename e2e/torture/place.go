package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	list   = "dev@lists.example.org"
	domain = "lists.example.org"
	poster = "alice@example.com"
	owner  = "olga@example.org"
)

var members = []string{poster, "bob@example.com", "carol+lists@example.com", "dave@example.net", "erin.o'neil@example.net"}

// A place is a site in a directory of its own. Its mail goes into Maildirs below it, so
// that all that becomes of a post is on one disk.
type place struct {
	bin, dir string
	act      *act
	held     string // the name of the post that is held
	link     string // by which bob leaves the list, from a post that he has got
}

// configOf is the superlist.toml of a place. Only this file has the place's own name in
// it, so a place can be copied.
func configOf(dir, settings string) string {
	return fmt.Sprintf(`hostname = "lists.example.org"
queue_dir = "%[1]s/spool"
lists_dir = "%[1]s/lists"
user = ""
kick = ""
log = "none"
retry_min = "1s"
%[2]s
[relay]
address = "maildir:%[1]s/out"
batch = 2
[web]
root = "%[1]s/www"
requests = true
[auth]
passwd_file = "%[1]s/users"
insecure = true
`, dir, settings)
}

// newPlace makes the site of an act, up to where the act begins.
func newPlace(bin, dir string, a *act) (p *place, err error) {
	defer func() {
		if f, ok := recover().(failure); ok {
			err = fmt.Errorf("%s: %w", a.name, f.error)
		}
	}()
	p = &place{bin: bin, dir: dir, act: a}
	if err := os.MkdirAll(dir+"/spool", 0o755); err != nil {
		return nil, err
	}
	files := map[string]string{"superlist.toml": configOf(dir, a.settings), "users": users}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	p.try("list", "create", list, "--owner", owner, "--set", "archive=true")
	p.try(append([]string{"member", "add", list}, members...)...)
	if a.prepare != nil {
		a.prepare(p)
	}
	if line, _ := p.superlist("held", "ls", list); strings.Contains(line, " hold: ") {
		p.held = strings.Fields(line[strings.IndexByte(line, '\n'):])[0]
	}
	got, _ := filepath.Glob(dir + "/out/bob@example.com/new/*")
	for _, file := range got {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if found := leaving.FindSubmatch(text); found != nil {
			p.link = string(found[1])
		}
	}
	return p, nil
}

var leaving = regexp.MustCompile(`(?m)^List-Unsubscribe: <https://lists.example.org(/[^>]*)>`)

// A failure ends what prepares a place. It is recovered by whoever prepares.
type failure struct{ error }

// try runs one of the operator's commands, which must succeed.
func (p *place) try(args ...string) string {
	out, err := p.superlist(args...)
	if err != nil {
		panic(failure{fmt.Errorf("superlist %q: %w: %s", args, err, out)})
	}
	return out
}

func (p *place) superlist(args ...string) (string, error) {
	cmd := exec.Command(p.bin+"/superlist", append([]string{"-c", p.dir + "/superlist.toml"}, args...)...)
	cmd.Env = p.env()
	out, err := output(cmd, traceTime)
	return string(out), err
}

// errStuck is how a program ends that does not end in time.
var errStuck = errors.New("it has not ended and was killed")

// output runs a program, for patience at most, and is what it says.
func output(cmd *exec.Cmd, patience time.Duration) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second // for what it has started, which may have its output open
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stuck := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	if !stuck.Stop() {
		err = fmt.Errorf("%w, after %v", errStuck, patience.Round(time.Second))
	}
	return out.Bytes(), err
}

// environment is that of all programs here: one processor, or which thread makes which
// call is up to chance.
var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "TZ=UTC", "GOMAXPROCS=1"}

// post has a session bring these, and wants all of them taken.
func (p *place) post(session string) {
	cmd := exec.Command(p.bin+"/superlist-spawn", "-c", p.dir+"/superlist.toml")
	cmd.Env, cmd.Stdin = environment, strings.NewReader(session)
	out, err := output(cmd, traceTime)
	if err != nil || !bytes.Contains(out, []byte(queuedAs)) {
		panic(failure{fmt.Errorf("superlist-spawn: %w: %s", err, out)})
	}
}

// taken is how often a program has said that it has something.
func (a *act) taken(out []byte) int {
	if a.said == "" {
		return 1
	}
	return bytes.Count(out, []byte(a.said))
}

// copyTo makes the same place elsewhere. Some files know where they are; the names of
// places are of one length.
func (p *place) copyTo(dir string) (*place, error) {
	err := filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		at := dir + strings.TrimPrefix(path, p.dir)
		if e.IsDir() {
			if path == p.dir { // a disk may be there
				return os.MkdirAll(at, info.Mode().Perm())
			}
			return os.Mkdir(at, info.Mode().Perm())
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%s: %v", path, e.Type())
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(at, bytes.ReplaceAll(text, []byte(p.dir), []byte(dir)), info.Mode().Perm())
		}
		if err == nil {
			err = os.Chtimes(at, info.ModTime(), info.ModTime())
		}
		return err
	})
	return &place{p.bin, dir, p.act, p.held, p.link}, err
}

// trace is the act, to be run by ptrace.
func (p *place) trace() *trace {
	return &trace{argv: p.argv(), env: p.env(), stdin: p.fill(p.act.stdin), talks: p.act.said == queuedAs}
}

// fill puts what is known of this place into a text of the act.
func (p *place) fill(text string) string {
	return strings.NewReplacer("DIR", p.dir, "HELD", p.held, "LINK", p.link).Replace(text)
}

func (p *place) argv() []string {
	argv := []string{filepath.Join(p.bin, p.act.argv[0]), "-c", p.dir + "/superlist.toml"}
	for _, arg := range p.act.argv[1:] {
		argv = append(argv, p.fill(arg))
	}
	return argv
}

func (p *place) env() []string {
	env := slices.Clone(environment)
	for _, pair := range p.act.env {
		env = append(env, p.fill(pair))
	}
	return env
}

// again does the act once more, untraced.
func (p *place) again() (string, error) {
	cmd := exec.Command(p.argv()[0], p.argv()[1:]...)
	cmd.Env, cmd.Stdin = p.env(), strings.NewReader(p.fill(p.act.stdin))
	out, err := output(cmd, traceTime)
	return string(out), err
}

// word is one that differs from run to run: with a digit in it, a
// boundary, a line of a key, a day.
var word = regexp.MustCompile(`\b[A-Za-z0-9+/=]{20,}|(--)?=_[A-Za-z0-9]+(--)?|[A-Za-z0-9+/_=.-]*[0-9][A-Za-z0-9+/_=.-]*|[A-Za-z0-9+/_=.-]*bounces-[A-Za-z0-9+/_=.-]*|\b((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(day)?|(Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sep|Oct|Nov|Dec)[a-z]*)\b`)

// text is what a file says, without that.
func textOf(data []byte) string {
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		if z, err := gzip.NewReader(bytes.NewReader(data)); err != nil {
			return "half a gzip"
		} else if data, err = io.ReadAll(z); err != nil {
			return "half a gzip"
		}
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return "binary" // an index, which has times, or the lengths of them, in it
	}
	return word.ReplaceAllString(string(data), "#")
}

// unique is the part of a name that differs from run to run.
var unique = regexp.MustCompile(`[0-9]{6,}[^/]*|[0-9a-f]{8,}[^/]*|20[0-9]{2}-[0-9]{2}`)

// boxes are where the spool has messages that somebody answers for.
var boxes = regexp.MustCompile(`^/spool/(inbound|outbound|failed)/`)

// A sight is what there is at a place: files by their names, and mail by who has got it,
// each with what is in it, as often as it is there. What differs from run to run is left
// out.
type sight map[string]map[string]int

// passing are files that may hold more after a crash, and do no harm: counts, who did
// what, marks, and tiles of an index, which merge in their own time.
func passing(name string) bool {
	base := filepath.Base(name)
	return base[0] == '.' || base == "acts" || base == "left" || base == "maintained" || base == "state" ||
		strings.Contains(name, "/asked/") || strings.Contains(name, "/web/search/") || strings.Contains(name, "/proved/") || strings.Contains(name, "/tmp/") || strings.HasPrefix(name, "/spool/") && !boxes.MatchString(name)
}

func (p *place) see() (sight, error) {
	s := sight{}
	err := filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, p.dir)
		if e.IsDir() {
			if name != "" && e.Name()[0] == '.' {
				return fs.SkipDir
			}
			return nil
		}
		if passing(name) || name == "/superlist.toml" || !e.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key := unique.ReplaceAllString(name, "#")
		if strings.HasPrefix(name, "/out/") {
			key = filepath.Dir(filepath.Dir(name))
			text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		}
		if s[key] == nil {
			s[key] = map[string]int{}
		}
		s[key][textOf(bytes.ReplaceAll(text, []byte(p.dir), []byte("DIR")))]++
		return nil
	})
	return s, err
}

// differs says how one sight differs from what is wanted. Mail may be there twice; twice
// is how many have it so.
func (s sight) differs(want sight) (how []string, twice int) {
	for key, texts := range want {
		for text, n := range texts {
			got := s[key][text]
			mail := strings.HasPrefix(key, "/out/")
			switch {
			case got == n:
			case mail && got > n && got <= 2*n:
				twice += got - n
			case got == 0 && len(s[key]) > 0:
				how = append(how, fmt.Sprintf("%s is not as it should be: %s", key, apart(text, s[key])))
			default:
				how = append(how, fmt.Sprintf("%s is there %d times, not %d", key, got, n))
			}
		}
	}
	for key, texts := range s {
		for text := range texts {
			if want[key] == nil {
				how = append(how, fmt.Sprintf("%s should not be there: %.200q", key, text))
			} else if want[key][text] == 0 && len(want[key]) > 1 {
				how = append(how, fmt.Sprintf("%s has %.200q", key, text))
			}
		}
	}
	slices.Sort(how)
	return how, twice
}

// apart shows where a text begins to differ from the only other one.
func apart(want string, got map[string]int) string {
	for text := range got {
		i := 0
		for i < len(text) && i < len(want) && text[i] == want[i] {
			i++
		}
		from := max(0, i-20)
		return fmt.Sprintf("%.80q, want %.80q", text[from:], want[from:])
	}
	return ""
}
