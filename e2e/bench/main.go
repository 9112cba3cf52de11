// Bench measures superlist beside the programs it has to beat, in one run and
// on the same disk, and says PASS or FAIL for each target.
//
//	go run ./e2e/bench            everything
//	go run ./e2e/bench -only session -rounds 100
//	make figures                  what docs/performance.md shows
//
// It needs root on Debian 12: the peers are Debian's own packages, unpacked
// into a cache and never installed, and run in a mount namespace of their own.
// What cannot be had is skipped with its reason; with CI=true that is a failure.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/figures"
)

// bench is one run: where things are and what has been found out so far.
type bench struct {
	work   string // a scratch directory on a real disk
	bin    string // our own programs, built for this run
	rounds int
	posts  int
	mails  int // personal ones
	peers  int // sessions at a time that hand these over

	archived    int // posts of the archive whose pages are written
	commit      string
	json        string        // where what was measured is kept
	within      time.Duration // a part that would take longer is not begun
	figures     []figures.Figure
	eximHome    *eximHome
	eximMissing error
	versions    map[string]string // of the peers that have run in this part
	failed      []string
	broken      []string // parts that did not come to their end
	skips       []string
}

// all are the parts of a run, in this order.
var all = []struct {
	name string
	run  func(*bench) error
}{
	{"counts", (*bench).counts},
	{"instructions", (*bench).instructions},
	{"session", (*bench).sessions},
	{"rcpt", (*bench).rcpts},
	{"post", (*bench).deliveries},
	{"personal", (*bench).personal},
	{"rewrite", (*bench).rewriting},
	{"memory", (*bench).memory},
	{"proxy", (*bench).proxied},
	{"milter", (*bench).milters},
	{"bounces", (*bench).bounces},
	{"web", (*bench).web},
	{"site", (*bench).manyLists}, // it empties the kernel's caches
}

func names() (ns []string) {
	for _, p := range all {
		ns = append(ns, p.name)
	}
	return ns
}

func main() {
	// A sink dies with the thread that started it: let that be the main one.
	runtime.LockOSThread()
	rounds := flag.Int("rounds", 300, "`rounds` of the comparisons of sessions")
	posts := flag.Int("posts", 5, "`rounds` of the delivery comparison")
	only := flag.String("only", strings.Join(names(), ","), "`parts` to run")
	mails := flag.Int("personal", 10_000, "`messages` of the comparison of personal ones, at least 100")
	peers := flag.Int("sessions", 4, "`sessions` at a time that hand over personal messages")
	archived := flag.Int("archive", 100_000, "`posts` of the archive that is shown on the web")
	json := flag.String("json", "", "keep what was measured in this `file`, in place of what it has of the same parts")
	within := flag.Duration("within", 0, "begin no part that did not fit into this `time` when it ran last; 0: all")
	keep := flag.Bool("keep", false, "keep the scratch directory")
	flag.Parse()

	if os.Getenv(insideVar) == "" {
		os.Exit(enterNamespace())
	}
	if *rounds < 1 || *posts < 1 || *mails < 100 || *peers < 1 || *archived < 5000 {
		fmt.Fprintln(os.Stderr, "bench: at least one round, one session, 100 personal messages and an archive of 5000 posts")
		os.Exit(2)
	}
	b := &bench{json: *json, within: *within, rounds: *rounds, posts: *posts, mails: *mails, peers: *peers, archived: *archived}
	if err := b.run(strings.Split(*only, ","), *keep); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	// A table shows what is missed: it is to be made all the same.
	if len(b.broken) > 0 || len(b.failed) > 0 && b.json == "" {
		os.Exit(1)
	}
}

func (b *bench) run(parts []string, keep bool) error {
	for _, p := range parts {
		if !slices.Contains(names(), p) {
			return fmt.Errorf("there is no part %q", p)
		}
	}
	work, err := scratch()
	if err != nil {
		return err
	}
	b.work = work
	if keep {
		fmt.Println("scratch directory:", work)
	} else {
		defer os.RemoveAll(work)
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, unix.SIGINT, unix.SIGTERM, unix.SIGPIPE)
		go func() {
			<-stop
			os.RemoveAll(work)
			os.Exit(130)
		}()
	}
	if b.bin, err = build(work); err != nil {
		return err
	}
	if err := privateDev(work); err != nil {
		return err
	}
	b.commit = commit()
	plan, err := newPlan(b.json, parts)
	if err != nil {
		return err
	}
	for _, part := range all {
		if !slices.Contains(parts, part.name) {
			continue
		}
		if !plan.begin(part.name, b.within) {
			b.skips = append(b.skips, part.name+": there is no time left for it")
			continue
		}
		b.figures, b.versions = nil, make(map[string]string)
		start := time.Now()
		err := part.run(b)
		if err == nil {
			err = b.keep(part.name, time.Since(start))
		}
		if err != nil {
			b.failed = append(b.failed, part.name)
			b.broken = append(b.broken, part.name)
			fmt.Printf("\n%s: %v   FAIL\n", part.name, err)
		}
	}
	b.summary()
	return nil
}

// scratch makes the working directory. A fsync on tmpfs costs nothing and
// would flatter whoever calls it most, so memory file systems are refused.
func scratch() (string, error) {
	var tried []string
	for _, base := range []string{os.Getenv("TMPDIR"), "/var/tmp", "."} {
		if base == "" || onMemory(base) {
			tried = append(tried, base)
			continue
		}
		base, err := filepath.Abs(base)
		if err != nil {
			return "", err
		}
		dir, err := os.MkdirTemp(base, "superlist-bench-")
		if err != nil {
			tried = append(tried, base)
			continue
		}
		// exim and smtp-sink become other users and must be able to pass.
		return dir, os.Chmod(dir, 0o755)
	}
	return "", fmt.Errorf("no writable directory on a real disk among %q: set TMPDIR", tried)
}

// skip notes a row that could not be measured.
func (b *bench) skip(row string, reason any) {
	b.skips = append(b.skips, fmt.Sprintf("%s: %v", row, reason))
	fmt.Printf("\n%s   SKIPPED: %v\n", row, reason)
	if os.Getenv("CI") == "true" {
		b.failed = append(b.failed, row)
	}
}

func (b *bench) summary() {
	fmt.Println()
	for _, s := range b.skips {
		fmt.Println("skipped:", s)
	}
	if len(b.failed) == 0 {
		fmt.Println("every target that was measured is met")
		return
	}
	fmt.Println("missed:", strings.Join(b.failed, ", "))
}
