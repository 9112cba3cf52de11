package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A nextHop is a mail server that takes everything, but for what it was told to
// refuse, and remembers the messages that had an end.
type nextHop struct {
	l     net.Listener
	no    string // the reply to the final dot, where it refuses
	mu    sync.Mutex
	taken []string
	busy  sync.RWMutex // read-locked by everybody who is here
}

func newNextHop(t *testing.T, no string) *nextHop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h := &nextHop{l: l, no: no}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.busy.RLock()
			go h.serve(conn)
		}
	}()
	return h
}

func (h *nextHop) serve(conn net.Conn) {
	defer h.busy.RUnlock()
	defer conn.Close()
	br := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 next.example ESMTP\r\n")
	for {
		line, err := br.ReadString('\n')
		if err != nil || strings.HasPrefix(line, "QUIT") {
			return
		}
		reply := "250 2.0.0 Ok"
		switch {
		case strings.HasPrefix(line, "EHLO"):
			reply = "250-next.example\r\n250 XFORWARD NAME ADDR PROTO HELO"
		case strings.HasPrefix(line, "DATA"):
			fmt.Fprint(conn, "354 go\r\n")
			var text strings.Builder
			for line != ".\r\n" {
				if line, err = br.ReadString('\n'); err != nil {
					return
				}
				text.WriteString(line)
			}
			reply = h.no
			if h.no == "" {
				h.mu.Lock()
				h.taken = append(h.taken, text.String())
				h.mu.Unlock()
				reply = "250 2.0.0 Ok: queued as 4XYZ"
			}
		}
		fmt.Fprint(conn, reply+"\r\n")
	}
}

// got is what it has taken, once it is through with everybody who was here.
// It comes itself first: whoever came before it has then been let in.
func (h *nextHop) got() []string {
	if conn, err := net.Dial("tcp", h.l.Addr().String()); err == nil {
		bufio.NewReader(conn).ReadString('\n')
		conn.Close()
	}
	h.busy.Lock()
	defer h.busy.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.taken)
}

func mixedSession(header string) string {
	return "EHLO me\r\nMAIL FROM:<" + member + ">\r\nRCPT TO:<" + list + ">\r\nRCPT TO:<zoe@example.com>\r\nDATA\r\nFrom: " +
		member + "\r\n" + header + "Subject: once\r\n\r\nbody\r\n.\r\nQUIT\r\n"
}

// proxyChanging are the calls of a session with a next hop: those that change the
// disk, and those that talk.
var proxyChanging = append([]string{"socket", "connect", "sendmsg", "read", "close"}, changing...)

// TestKillProxy kills superlist-spawn at each of its system calls while a message
// for a list and for somebody else goes through it, and then sends the message
// again, as a client does that was not answered. Nothing that was acknowledged is
// lost, on either side; nothing is in the spool that the next hop has not taken;
// what a side has twice is what the order of the two commits allows: the next hop
// where it had said 250, the list only where it was committed and the client not
// yet told.
func TestKillProxy(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	bin, err := programs()
	must(t, err)
	killCalls(t, proxyChanging, 40, func(t *testing.T, call string, n int) bool {
		hop := newNextHop(t, "")
		dir, superlist := proxySite(t, bin, hop)
		what := fmt.Sprintf("%s %d", call, n)
		argv := []string{bin + "/superlist-spawn", "-c", dir + "/superlist.toml"}
		out, hit := killed(t, call, n, mixedSession(""), argv...)
		acknowledged := bytes.Contains(out, []byte("250 2.0.0 queued as "))
		if !hit && !acknowledged {
			t.Errorf("%s: not killed, and not acknowledged: %q", what, out)
		}
		first := len(hop.got())
		committed, _ := filepath.Glob(dir + "/spool/inbound/new/*")
		if first > 1 || len(committed) > first || acknowledged && len(committed) != 1 {
			t.Errorf("%s: acknowledged %t, the next hop has %d, the list %d", what, acknowledged, first, len(committed))
		}
		want := 1 // at most, of each
		if hit && !acknowledged {
			again := exec.Command(argv[0], argv[1:]...)
			again.Stdin = strings.NewReader(mixedSession(""))
			out, err := again.Output()
			must(t, err)
			if !bytes.Contains(out, []byte("250 2.0.0 queued as ")) {
				t.Errorf("%s: sent again, and not acknowledged: %q", what, out)
			}
			want += len(committed)
			if got := hop.got(); len(got) != first+1 {
				t.Errorf("%s: sent again, and the next hop has %d, before that it had %d", what, len(got), first)
			}
		}
		superlist("deliver")
		wantArrived(t, dir, what, want, len(members)*len(committed))
		for _, text := range hop.got() {
			if !strings.HasPrefix(text, "Received: ") || !strings.HasSuffix(text, "\r\nFrom: "+member+"\r\nSubject: once\r\n\r\nbody\r\n.\r\n") {
				t.Errorf("%s: the next hop has %q", what, text)
			}
		}
		return hit
	})
}

// TestKillProxyRefused does the same where one side refuses the message: then
// neither ever has it.
func TestKillProxyRefused(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	bin, err := programs()
	must(t, err)
	for name, side := range map[string]struct{ no, header, want string }{
		"next hop": {"554 5.7.1 the next hop refuses", "", "554 5.7.1 the next hop refuses\r\n"},
		"list":     {"", "Subject: twice\r\n", "550-5.6.0 the message has more than one Subject field"},
	} {
		t.Run(name, func(t *testing.T) {
			killCalls(t, proxyChanging, 30, func(t *testing.T, call string, n int) bool {
				hop := newNextHop(t, side.no)
				dir, _ := proxySite(t, bin, hop)
				out, hit := killed(t, call, n, mixedSession(side.header), bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
				if !hit && !bytes.Contains(out, []byte(side.want)) {
					t.Errorf("%s %d: the client hears %q", call, n, out)
				}
				committed, _ := filepath.Glob(dir + "/spool/inbound/*/*")
				if len(committed) > 0 || len(hop.got()) > 0 {
					t.Errorf("%s %d: refused, and the next hop has %d, the list %d", call, n, len(hop.got()), len(committed))
				}
				return hit
			})
		})
	}
}

func proxySite(t *testing.T, bin string, hop *nextHop) (dir string, superlist func(...string) []byte) {
	t.Helper()
	dir, superlist = killSite(t, bin)
	f, err := os.OpenFile(dir+"/superlist.toml", os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = fmt.Fprintf(f, "[proxy]\nnext_hop = %q\n", hop.l.Addr())
	must(t, err)
	return dir, superlist
}
