package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"superlist/lists/cluster/pgtest"
)

const hosts = 3

// postsEnv is for how many posts; without it the test is skipped.
const postsEnv = "SUPERLIST_TEST_CLUSTER"

// few posts are the short form: few lists, and clocks that are right, since programs with a
// wrong one have to be built.
const few = 1000

// wrong is how far the clock of the second host is off.
const wrong = 2 * time.Minute

func TestThreeHosts(t *testing.T) {
	posts, _ := strconv.Atoi(os.Getenv(postsEnv))
	if os.Getenv(roleEnv) != "world" {
		outside(t, posts)
		return
	}
	network(t)
	size := struct{ posts, lists, senders, movers int }{posts, 6, 4, 4}
	if posts > few {
		size.lists, size.senders, size.movers = 50, 12, 8
	}
	dir, err := os.MkdirTemp("", "cl")
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() || os.Getenv("KEEP") == "" {
			os.RemoveAll(dir)
		}
	})
	must(t, os.Chmod(dir, 0o755))
	town := &town{lists: size.lists, notes: map[string]int{}, back: map[string]int{}, over: make(chan bool)}
	town.w = &world{boxes: map[string][]mail{}, posts: map[int][]mail{}, hear: town.hear}
	must(t, town.w.open())
	db := pgtest.StartAt(t, databaseIP, func(start func() error) error { return within("db", start) })
	midnight := time.Now().Add(min(wrong+time.Duration(posts)*time.Second/40, 5*time.Minute))
	if posts <= few {
		midnight = time.Now().Add(20 * time.Second)
	}
	midnight = midnight.Truncate(time.Minute).Add(time.Minute) // a zone differs by minutes
	for n := 1; n <= hosts; n++ {
		bin := os.Getenv("SUPERLIST_CLUSTER_BIN")
		if n == 2 && posts > few {
			bin = os.Getenv("SUPERLIST_CLUSTER_WRONG")
		}
		town.hosts = append(town.hosts, newHost(t, n, dir, bin, adrift(midnight)))
	}
	town.found(t)
	for _, h := range town.hosts {
		h.start()
		defer h.stop()
	}
	var next atomic.Int64
	var senders, movers, trouble sync.WaitGroup
	stop := make(chan bool)
	trouble.Go(func() { town.trouble(t, db, stop) })
	begun := time.Now()
	const pace = time.Second / 20 // at most: trouble is made as time goes by
	for range size.senders {
		senders.Go(func() {
			for n := int(next.Add(1)) - 1; n < size.posts; n = int(next.Add(1)) - 1 {
				time.Sleep(time.Until(begun.Add(time.Duration(n) * pace)))
				town.send(n)
			}
		})
	}
	for i := range size.movers {
		movers.Go(func() {
			for n := i; n < size.posts/5 && int(next.Load()) < size.posts; n += size.movers {
				town.move(n)
			}
		})
	}
	wait := func(what string, done func() bool) {
		for end := time.Now().Add(2 * time.Hour); !done(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	wait("most of the posts", func() bool { return int(next.Load()) > size.posts*7/10 })
	close(stop)
	trouble.Wait()
	town.adopt(t, hosts)
	senders.Wait()
	wait("midnight", func() bool { return time.Now().After(midnight.Add(3 * time.Second)) })
	close(town.over)
	movers.Wait()
	town.settle(t)
	t.Logf("%d posts in %v; %v", size.posts, time.Since(begun).Round(time.Second), town.notes)
	town.judge(t, midnight)
}

// found makes the lists on the first host, and the others join it.
func (t *town) found(tb testing.TB) {
	first := t.hosts[0]
	for l := range t.lists {
		at := listAddress(l)
		set := []string{"list", "create", at, "--owner", owner(l)}
		for _, s := range []string{"archive=true", "nonmembers=hold", "bounce_days=1"} {
			set = append(set, "--set", s)
		}
		if l%2 == 0 {
			set = append(set, "--set", "digest=10")
		} else {
			set = append(set, "--set", "digest=daily", "--set", "held_notice=daily")
		}
		first.alone(tb, set...)
		first.alone(tb, append([]string{"member", "add", at, digester(l), bouncer(l)}, stable(l)...)...)
		first.alone(tb, "member", "set", at, digester(l), "digest")
		first.alone(tb, "list", "set", at, "moderators="+strings.Join(moderators(l), ","))
	}
	first.try("cluster", "init")
	for _, h := range t.hosts[1:] {
		h.try("cluster", "join")
	}
}

// settle waits until all mail has come, and every host has looked once more.
func (t *town) settle(tb testing.TB) {
	quiet := 0
	for end := time.Now().Add(10 * time.Minute); quiet < 3; time.Sleep(time.Second) {
		var left []string
		for _, h := range t.hosts {
			if h.n != int(t.gone.Load()) {
				if out, err := h.superlist("deliver"); err != nil {
					left = append(left, out)
				}
				left = append(left, h.left()...)
			} else if queue := h.left(); len(queue) > 0 && strings.Contains(queue[len(queue)-1], "/queue/") {
				left = append(left, queue[len(queue)-1])
			}
		}
		if quiet++; len(left) > 0 {
			quiet = 0
		}
		if time.Now().After(end) {
			tb.Errorf("%d messages are left, such as %s", len(left), left[0])
			return
		}
	}
}

// outside runs the test in namespaces of its own.
func outside(t *testing.T, posts int) {
	if posts == 0 {
		t.Skip("it takes minutes: make test-cluster")
	}
	if os.Getuid() != 0 {
		t.Skip("end to end: needs root for its namespaces")
	}
	for _, need := range []string{"/usr/sbin/postfix", "/usr/sbin/ip", "/usr/bin/unshare", "/usr/bin/setpriv"} {
		if _, err := os.Stat(need); err != nil {
			t.Skipf("end to end: %s is not installed", need)
		}
	}
	bin := os.Getenv("SUPERLIST_CLUSTER_BIN")
	if bin == "" {
		bin = build(t, "")
	}
	env := append(os.Environ(), roleEnv+"=world", "SUPERLIST_CLUSTER_BIN="+bin)
	if posts > few {
		env = append(env, "SUPERLIST_CLUSTER_WRONG="+build(t, wrongClock(t)))
	}
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command("unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child", self, "-test.v", "-test.run=^TestThreeHosts$", "-test.timeout=3h")
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP: ") {
		t.Skip(string(out))
	}
	t.Logf("%s", out)
}

// build builds the programs, with an overlay of sources or without.
func build(t *testing.T, overlay string) string {
	dir, err := os.MkdirTemp("", "clb")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	cmd := exec.Command("make", "-s", "build", "BIN="+dir)
	cmd.Dir = "../.."
	if overlay != "" {
		cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	return dir
}

// wrongClock is an overlay with which programs see a clock that is wrong. There is no
// namespace for the time of day, and Go asks no C library.
func wrongClock(t *testing.T) string {
	file := filepath.Join(runtime.GOROOT(), "src/time/time.go")
	text, err := os.ReadFile(file)
	must(t, err)
	const now = "sec, nsec, mono := runtimeNow()\n"
	changed := strings.Replace(string(text), "func Now() Time {\n\t"+now, fmt.Sprintf("func Now() Time {\n\t%s\tsec += %d\n", now, int(wrong.Seconds())), 1)
	if changed == string(text) {
		t.Skip("this Go reads the clock in another way")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/time.go", []byte(changed), 0o644))
	must(t, os.WriteFile(dir+"/overlay.json", fmt.Appendf(nil, `{"Replace": {%q: %q}}`, file, dir+"/time.go"), 0o644))
	return dir + "/overlay.json"
}
