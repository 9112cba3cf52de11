package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// The limits of contrib/xinetd/superlist for a port that the world connects to.
	siegeInstances, siegePerSource = 100, 10
	// Sources have all that they may have, and the honest one finds the rest.
	siegeSources = siegeInstances/siegePerSource - 1
	// tooMany is by how many connections each source is beyond its limit.
	tooMany = 2
	// siegeHold is how long one connection is held by who is slow or silent.
	siegeHold = 20 * time.Second
	// honestEvery is how often somebody posts.
	honestEvery = 500 * time.Millisecond
	// A post is taken, and with its members, in so much time. It may be refused meanwhile,
	// as a client is where a server is busy.
	takenTime, arrivesTime = 20 * time.Second, 40 * time.Second
	siegeMost              = 10 * time.Minute
)

const siegeXinetd = `service superlist
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	flags = IPv4 NODELAY
	bind = 127.0.0.1
	port = FRONT
	per_source = SOURCE
	instances = INSTANCES
	cps = 100 2
	user = nobody
	umask = 077
	server = BIN/superlist-spawn
	server_args = -c SITE/superlist.toml
	passenv =
	env = PATH=/usr/bin:/bin LANG=C GOMAXPROCS=1 TZ=UTC
	log_on_success =
	log_on_failure =
}
service superlist-deliver
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	wait = no
	flags = IPv4
	bind = 127.0.0.1
	port = KICK
	per_source = UNLIMITED
	instances = 4
	cps = 10000 1
	user = nobody
	umask = 077
	server = BIN/superlist
	server_args = -c SITE/superlist.toml deliver
	passenv =
	env = PATH=/usr/bin:/bin LANG=C TZ=UTC
	log_on_success =
	log_on_failure =
}
`

// siege has one source after another hold all the connections that it may have, with
// junk, slow clients and early talkers, and meanwhile somebody posts.
func siege(t *torture, r *result, until time.Time) error {
	xinetd, err := exec.LookPath("xinetd")
	if err != nil || os.Geteuid() != 0 {
		r.Skipped = "it needs root and xinetd"
		return nil
	}
	until = earlier(until, time.Now().Add(siegeMost))
	site, ports, err := t.besieged()
	if err != nil {
		return err
	}
	conf := filepath.Join(site.dir, "xinetd.conf")
	text := strings.NewReplacer("FRONT", portOf(ports[0]), "KICK", portOf(ports[1]), "BIN", t.bin, "SITE", site.dir,
		"SOURCE", fmt.Sprint(siegePerSource), "INSTANCES", fmt.Sprint(siegeInstances)).Replace(siegeXinetd)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return err
	}
	server := exec.Command(xinetd, "-dontfork", "-f", conf, "-pidfile", site.dir+"/xinetd.pid")
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return err
	}
	defer server.Wait()
	defer syscall.Kill(-server.Process.Pid, syscall.SIGKILL)

	c := client{ports[0], &net.TCPAddr{IP: net.IPv4(127, 0, 1, 1)}}
	var b besiegers
	var all sync.WaitGroup
	for source := range siegeSources {
		for range siegePerSource + tooMany {
			all.Go(func() {
				for time.Now().Before(until) {
					b.attack(client{ports[0], &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+source))}}, until)
				}
			})
		}
	}
	fates := make([]atomic.Int32, int(siegeMost/honestEvery)+1)
	posted, err := t.honest(r, site, c, fates, until)
	all.Wait()
	b.note(r)
	if err != nil {
		return err
	}
	// What has been refused for itself may not come, whatever else was there.
	return count(r, fates[:posted], func() string { return "" }, func(m string) string { return filepath.Join(site.dir, "out", m) })
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// besieged is the place, and its two ports.
func (t *torture) besieged() (site *place, ports [2]string, err error) {
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, ports, err
		}
		defer l.Close()
		ports[i] = l.Addr().String()
	}
	if site, err = newPlace(t.bin, t.dir(), &act{name: "siege"}); err != nil {
		return nil, ports, err
	}
	toml := strings.NewReplacer(`kick = ""`, fmt.Sprintf("kick = %q\ntrusted = [\"unix\"]", ports[1])).Replace(configOf(site.dir, ""))
	if err := os.WriteFile(site.dir+"/superlist.toml", []byte(toml), 0o644); err != nil {
		return nil, ports, err
	}
	if out, err := exec.Command("chown", "-R", "nobody:", site.dir).CombinedOutput(); err != nil {
		return nil, ports, fmt.Errorf("chown: %w: %s", err, out)
	}
	return site, ports, nil
}

// honest posts, and says how long that takes, and how many posts there were.
func (t *torture) honest(r *result, site *place, c client, fates []atomic.Int32, until time.Time) (posted int, err error) {
	var mu sync.Mutex
	var slowest, latest time.Duration
	var refused atomic.Int64
	var posts sync.WaitGroup
	for n := 0; time.Now().Before(until) && n < len(fates); n++ {
		began := time.Now()
		posts.Go(func() {
			for {
				fate, _, _ := c.send(n, false, began.Add(takenTime))
				fates[n].Store(int32(fate))
				if fate != unsent {
					break
				}
				if time.Since(began) > takenTime {
					r.fault(r.Part, fmt.Sprintf("post %d", n), fmt.Sprintf("a post was not taken in %v", takenTime))
					return
				}
				refused.Add(1)
				time.Sleep(200 * time.Millisecond)
			}
			taken := time.Since(began)
			arrived := site.awaits(n, began.Add(arrivesTime))
			if !arrived {
				r.fault(r.Part, fmt.Sprintf("post %d", n), fmt.Sprintf("a post was not with its members after %v", arrivesTime))
			}
			mu.Lock()
			defer mu.Unlock()
			slowest, latest = max(slowest, taken), max(latest, time.Since(began))
		})
		t.progress(fmt.Sprintf("siege: post %d, refused %d times so far", n, refused.Load()))
		posted = n + 1
		time.Sleep(honestEvery)
	}
	posts.Wait()
	r.note("the slowest post was taken after %.1f s and with its members after %.1f s; honest connections were refused %d times", slowest.Seconds(), latest.Seconds(), refused.Load())
	return posted, nil
}

// awaits waits until the last member has a post.
func (p *place) awaits(n int, until time.Time) bool {
	needle := fmt.Sprintf("\nSubject: load %d\n", n)
	seen := map[string]bool{}
	for ; time.Now().Before(until); time.Sleep(250 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(p.dir, "out", members[len(members)-1], "new", "*"))
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			if text, err := os.ReadFile(file); err == nil && strings.Contains(strings.ReplaceAll(string(text), "\r\n", "\n"), needle) {
				return true
			}
		}
	}
	return false
}

// besiegers count what they do, and how often they find no room.
type besiegers struct {
	mu    sync.Mutex
	times map[string]int
	full  atomic.Int64
}

func (b *besiegers) note(r *result) {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(b.times)) {
		all = append(all, fmt.Sprintf("%s %d", kind, b.times[kind]))
	}
	r.note("%d sources with %d connections each, of %d in all; %d were beyond a limit; %s", siegeSources, siegePerSource, siegeInstances, b.full.Load(), strings.Join(all, ", "))
	if b.full.Load() == 0 {
		r.fault(r.Part, "", "no limit was reached")
	}
}

// forged is a post in a member's name, which is not to arrive: it is not sent as SMTP is.
const forged = "EHLO x\r\nMAIL FROM:<" + poster + ">\r\nRCPT TO:<" + list + ">\r\nDATA\r\nFrom: " + poster + "\r\nSubject: forged\r\n\r\nforged\r\n"

// kinds of attack: what is sent, in pieces, and how long is waited after each.
var kinds = []struct {
	name  string
	waits bool // for the greeting, and reads replies
	sends func(send func(string) bool)
}{
	{"junk", false, func(send func(string) bool) {
		junk := make([]byte, 4096)
		for range 256 {
			for i := range junk {
				junk[i] = byte(rand.Uint32())
			}
			if !send(string(junk)) {
				return
			}
		}
	}},
	{"junk lines", true, func(send func(string) bool) {
		for send(strings.Repeat(string(rune('!'+rand.IntN(90))), rand.IntN(3000)) + "\r\n") {
		}
	}},
	{"HTTP", false, func(send func(string) bool) { send("POST / HTTP/1.1\r\nHost: x\r\n\r\n" + forged + ".\r\n") }},
	// A session may have greeted before the first byte is there, and then it is only a client
	// that does not wait (docs/quirks.md): so this one may not post.
	{"early talker", false, func(send func(string) bool) {
		send(strings.ReplaceAll(forged, poster, "eve@example.net") + ".\r\nQUIT\r\n")
	}},
	{"half a post", true, func(send func(string) bool) { send(forged) }},
	{"stranger", true, func(send func(string) bool) {
		send(strings.ReplaceAll(forged, poster, "eve@example.net") + ".\r\nQUIT\r\n")
	}},
	{"many recipients", true, func(send func(string) bool) {
		send("EHLO x\r\nMAIL FROM:<eve@example.net>\r\n")
		for i := 0; send(fmt.Sprintf("RCPT TO:<u%d@%s>\r\n", i, domain)) && i < 5000; i++ {
		}
	}},
	{"reads nothing", false, func(send func(string) bool) {
		time.Sleep(time.Second)
		for i := 0; send("NOOP\r\n") && i < 100_000; i++ {
		}
	}},
	{"slow", true, func(send func(string) bool) {
		for _, c := range strings.ReplaceAll(forged, poster, "eve@example.net") {
			if !send(string(c)) {
				return
			}
			time.Sleep(300 * time.Millisecond)
		}
	}},
	{"silent", true, func(func(string) bool) { time.Sleep(time.Duration(rand.Int64N(int64(siegeHold)))) }},
}

// attack is one connection.
func (b *besiegers) attack(c client, until time.Time) {
	kind := kinds[rand.IntN(len(kinds))]
	if rand.IntN(2) == 0 { // connections are held more than they are used
		kind = kinds[len(kinds)-1-rand.IntN(2)]
	}
	until = earlier(until, time.Now().Add(siegeHold))
	conn, err := (&net.Dialer{Deadline: until, LocalAddr: c.from}).Dial("tcp", c.server)
	if err != nil {
		b.full.Add(1)
		time.Sleep(time.Second)
		return
	}
	defer conn.Close()
	conn.SetDeadline(until)
	in := bufio.NewReader(conn)
	if kind.waits {
		if _, err := in.ReadString('\n'); err != nil {
			b.full.Add(1)
			time.Sleep(time.Second)
			return
		}
	}
	if kind.name != "reads nothing" {
		go io.Copy(io.Discard, in)
	}
	b.mu.Lock()
	if b.times == nil {
		b.times = map[string]int{}
	}
	b.times[kind.name]++
	b.mu.Unlock()
	kind.sends(func(s string) bool {
		_, err := io.WriteString(conn, s)
		return err == nil && time.Now().Before(until)
	})
}
