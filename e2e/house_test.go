package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlist/lists/settings"
)

// floors are the storeys of the house, from the ground up: a package may use
// those below its own, and its own storey but for disk, mail and milter, which know
// nothing of each other. Tests, tools and benches stand
// outside.
var floors = [][]string{{"superlist/smtp"}, {"superlist/queue/disk", "superlist/milter", "superlist/lists/mail"}, {"superlist/queue"}, {"superlist/lists"}, {"superlist/cmd"}}

func floorOf(pkg string) int {
	return slices.IndexFunc(floors, func(storey []string) bool {
		return slices.ContainsFunc(storey, func(top string) bool { return pkg == top || strings.HasPrefix(pkg, top+"/") })
	})
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go list %q: %v\n%s", args, err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// TestImportsPointOneWay holds cmd → lists → queue → smtp, and that smtp knows
// nothing but the standard library; its package sasl, go-sasl and SASLprep too.
func TestImportsPointOneWay(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		pkg, imports, _ := strings.Cut(line, " ")
		floor := floorOf(pkg)
		forTests := func(pkg string) bool {
			return slices.ContainsFunc(strings.Split(pkg, "/"), func(name string) bool { return strings.HasSuffix(name, "test") })
		}
		if floor < 0 || forTests(pkg) {
			continue
		}
		for imp := range strings.FieldsSeq(imports) {
			if other := floorOf(imp); other > floor {
				t.Errorf("%s imports %s, which stands above it", pkg, imp)
			}
			if forTests(imp) {
				t.Errorf("%s imports %s, which is for tests", pkg, imp)
			}
			foreign := strings.Contains(strings.Split(imp, "/")[0], ".")
			mechanisms := pkg == "superlist/smtp/sasl" && (imp == "github.com/emersion/go-sasl" || imp == "github.com/xdg-go/stringprep")
			if pkg == "superlist/milter" && (foreign || strings.HasPrefix(imp, "superlist/") && imp != "superlist/smtp") {
				t.Errorf("%s imports %s", pkg, imp)
			}
			unicode := pkg == "superlist/smtp" && (imp == "golang.org/x/net/idna" || imp == "golang.org/x/text/unicode/norm")
			dns := pkg == "superlist/smtp/mx" && imp == "github.com/miekg/dns"
			if pkg == "superlist/queue/disk" && (foreign && imp != "golang.org/x/sys/unix" || strings.HasPrefix(imp, "superlist/")) {
				t.Errorf("%s imports %s", pkg, imp)
			}
			if floor == 0 && foreign && !mechanisms && !unicode && !dns {
				t.Errorf("%s imports %s", pkg, imp)
			}
		}
	}
}

// rooms are packages of lists that know no lists, and what of ours they may use.
var rooms = map[string][]string{
	"superlist/lists/ledger":       {"superlist/queue/disk"},
	"superlist/lists/ledger/files": {"superlist/lists/ledger", "superlist/queue/disk"},
	"superlist/lists/config":       {"superlist/lists/textfile", "superlist/queue/disk"},
	"superlist/lists/members":      {"superlist/lists/textfile", "superlist/queue/disk", "superlist/smtp"},
	"superlist/lists/pattern":      {"superlist/lists/parts", "superlist/smtp"},
	"superlist/lists/site": {"superlist/lists/config", "superlist/lists/ledger", "superlist/lists/quota", "superlist/lists/stub",
		"superlist/milter", "superlist/queue", "superlist/queue/disk", "superlist/smtp"},
	"superlist/lists/quota":        {"superlist/lists/config", "superlist/lists/ledger", "superlist/smtp"},
	"superlist/lists/verp":         {"superlist/smtp"},
	"superlist/lists/acts":         {"superlist/lists/ledger", "superlist/lists/maillog"},
	"superlist/lists/tally":        {"superlist/lists/ledger", "superlist/lists/maillog"},
	"superlist/lists/trace":        {"superlist/lists/acts", "superlist/lists/logfile", "superlist/lists/maillog", "superlist/queue", "superlist/smtp"},
	"superlist/lists/confirmation": {"superlist/lists/ledger", "superlist/lists/members", "superlist/lists/token", "superlist/lists/verp", "superlist/smtp"},
	"superlist/lists/attempt":      {"superlist/lists/config", "superlist/lists/maillog", "superlist/queue"},
	"superlist/lists/message":      {"superlist/lists/rewrite", "superlist/queue"},
	"superlist/lists/author":       {"superlist/lists/dmarc", "superlist/lists/rewrite", "superlist/lists/signature", "superlist/smtp", "superlist/smtp/mx"},
	"superlist/lists/outbound": {"superlist/lists/attempt", "superlist/lists/maillog", "superlist/queue", "superlist/queue/disk",
		"superlist/smtp", "superlist/smtp/mx", "superlist/smtp/sasl", "superlist/smtp/tlsclient"},
}

// A storey of lists has rooms that may use each other and what is below them.
type storey struct {
	height int
	rooms  []string // packages of lists, with those within them; "": lists itself
}

// storeys are those of lists. The session's side and the work's side stand at one
// height, and neither uses the other: a session takes mail, and deliver and the
// operator's command do what comes of it.
var storeys = []storey{
	{0, []string{"textfile", "token", "search", "maillog", "settings", "mail", "dmarc", "stub", "helo", "ledger"}},
	{1, []string{"config", "members", "rewrite", "parts", "message", "signature", "pattern", "letter", "archive", "quota", "confirmation", "attempt", "author", "verp", "acts", "tally"}},
	{2, []string{"site", "cluster", "access", "account", "tlsserver", "sandbox", "outbound"}},
	{3, []string{"", "logfile"}},
	{4, []string{"policy", "copies", "outbox", "web", "heldpost", "status", "trace", "request", "weblink", "tomltext"}},
	{5, []string{"intake", "milters", "proxy", "entry"}},
	{5, []string{"edit", "people", "bounces", "digest", "moderation", "migrate", "backup"}},
	{6, []string{"deliver"}},
}

// storeyOf is where a package of lists stands; -1: nobody has said.
func storeyOf(pkg string) int {
	name := strings.TrimPrefix(strings.TrimPrefix(pkg, "superlist/lists"), "/")
	return slices.IndexFunc(storeys, func(s storey) bool {
		return slices.ContainsFunc(s.rooms, func(room string) bool {
			return name == room || room != "" && strings.HasPrefix(name, room+"/")
		})
	})
}

// TestImportsWithinLists holds the storeys, and that each package has one.
func TestImportsWithinLists(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./lists/...") {
		pkg, imports, _ := strings.Cut(line, " ")
		if slices.ContainsFunc(strings.Split(pkg, "/"), func(name string) bool { return strings.HasSuffix(name, "test") }) {
			continue
		}
		here := storeyOf(pkg)
		if here < 0 {
			t.Errorf("%s has no storey: give it one in e2e/house_test.go", pkg)
			continue
		}
		for imp := range strings.FieldsSeq(imports) {
			there := storeyOf(imp)
			if !strings.HasPrefix(imp, "superlist/lists") || there < 0 || there == here {
				continue
			}
			if storeys[there].height >= storeys[here].height {
				t.Errorf("%s imports %s, which stands above it or on the other side", pkg, imp)
			}
		}
	}
}

// TestImportsOfPolicy: what becomes of a post is decided without a file or a process.
func TestImportsOfPolicy(t *testing.T) {
	for _, pkg := range []string{"superlist/lists/policy", "superlist/lists/pattern"} {
		for _, imp := range goList(t, "-f", `{{join .Imports "\n"}}`, pkg) {
			switch imp {
			case "os", "io/fs", "path/filepath", "syscall", "golang.org/x/sys/unix", "net", "superlist/queue", "superlist/queue/disk":
				t.Errorf("%s imports %s", pkg, imp)
			}
		}
	}
}

// TestPolicyKnowsNoList: what a policy asks of its list are interfaces of its own. Only
// Of, which puts one together, has the list.
func TestPolicyKnowsNoList(t *testing.T) {
	files, err := filepath.Glob("../lists/policy/*.go")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "of.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, knows := range []string{"lists.List", "lists.Of(", "lists.Directory"} {
			if bytes.Contains(text, []byte(knows)) {
				t.Errorf("%s has %s", file, knows)
			}
		}
	}
}

// TestImportsOfRooms: a trade of its own can be used, and tested, without a list.
func TestImportsOfRooms(t *testing.T) {
	for room, may := range rooms {
		for _, imp := range goList(t, "-f", `{{join .Imports "\n"}}`, room) {
			if strings.HasPrefix(imp, "superlist/") && !slices.Contains(may, imp) {
				t.Errorf("%s imports %s", room, imp)
			}
		}
	}
}

// TestSpawnLinksLittle: superlist-spawn starts for every session.
func TestSpawnLinksLittle(t *testing.T) {
	deps := goList(t, "-deps", "./cmd/superlist-spawn")
	for _, heavy := range []string{"flag", "net", "net/http", "crypto/rand", "math/big", "html/template", "text/template", "crypto/tls", "crypto/x509",
		"github.com/miekg/dns", "github.com/spf13/cobra", "superlist/lists/author", "superlist/lists/deliver", "superlist/lists/ledger/files", "superlist/lists/mail/body", "superlist/lists/mail/charset", "superlist/lists/tlsserver", "superlist/lists/account", "superlist/smtp/sasl"} {
		if slices.Contains(deps, heavy) {
			t.Errorf("superlist-spawn links %s", heavy)
		}
	}
	for _, dep := range deps {
		if strings.HasPrefix(dep, "golang.org/x/crypto") || strings.HasPrefix(dep, "golang.org/x/text/encoding") || strings.HasPrefix(dep, "github.com/emersion/") {
			t.Errorf("superlist-spawn links %s", dep)
		}
	}
}

// TestSessionsWriteNoLists: a program that serves a client reads what lists keep, and puts
// messages into the spool. Only deliver and the operator's command link what changes a
// list, writes letters or sends.
func TestSessionsWriteNoLists(t *testing.T) {
	for _, web := range []string{"net/http", "html/template", "superlist/lists/web"} {
		if slices.Contains(goList(t, "-deps", "./cmd/superlist-spawn", "./cmd/superlist-session", "./cmd/superlist-milter", "./cmd/superlist-policy"), web) {
			t.Errorf("a session of mail links %s", web)
		}
	}
	deps := goList(t, "-deps", "./cmd/superlist-spawn", "./cmd/superlist-session", "./cmd/superlist-milter", "./cmd/superlist-policy", "./cmd/superlist-web")
	for _, writer := range []string{"edit", "people", "outbox", "deliver", "outbound", "migrate", "backup", "ledger/files"} {
		if slices.Contains(deps, "superlist/lists/"+writer) {
			t.Errorf("a session links lists/%s", writer)
		}
	}
	for _, dep := range deps { // they read this host's files, and no database
		if strings.HasPrefix(dep, "github.com/jackc/") || dep == "superlist/lists/cluster" || dep == "database/sql" {
			t.Errorf("a session links %s", dep)
		}
	}
}

// TestSessionsCarryNoManual: what explains keys to people is in no program that
// starts for a session.
func TestSessionsCarryNoManual(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]bool{"superlist": true, "superlist-spawn": false, "superlist-session": false, "superlist-milter": false, "superlist-policy": false, "superlist-web": false} {
		data, err := os.ReadFile(bin + "/" + program)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{settings.List, settings.Site} {
			want := want || program == "superlist-web" && file == settings.List // owners read it there
			if got := bytes.Contains(data, []byte(file)); got != want {
				t.Errorf("%s has %.60q: %t", program, file, got)
			}
		}
	}
}

// TestSpawnLinksNoWork: what a package of ours does before main, every session
// pays for. Maps, Sprintf and the like belong where they are used.
func TestSpawnLinksNoWork(t *testing.T) {
	for pkg, line := range initTrace(t, "superlist-spawn") {
		if strings.HasPrefix(pkg, "superlist/") && !strings.Contains(line, " 0 allocs") {
			t.Errorf("it allocates before main: %s", line)
		}
	}
}

// TestWebLinksLittleWork: each request pays for the tables that a package fills before
// main. Those that were a quarter of a request are gone: of HTML's entities, of the names
// of character sets and languages, and of XML. What is left is html/template.
func TestWebLinksLittleWork(t *testing.T) {
	const most = 20_000 // bytes
	for _, line := range initTrace(t, "superlist-web") {
		var bytes int
		if _, rest, ok := strings.Cut(line, " clock, "); ok {
			fmt.Sscanf(rest, "%d bytes", &bytes)
		}
		if bytes > most {
			t.Errorf("a package fills tables before main: %s", line)
		}
	}
}

// TestWebLinksNoServer: http.Server brings TLS and HTTP/2, half as much again as an empty
// CGI program, which nobody uses behind a proxy; ServeOne does without.
func TestWebLinksNoServer(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(bin + "/superlist-web")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("net/http.ReadRequest")) || bytes.Contains(data, []byte("net/http.(*conn).serve")) {
		t.Error("superlist-web has a server that it does not need: see go tool nm")
	}
}

// initTrace returns what each package does before main, by package.
func initTrace(t *testing.T, program string) map[string]string {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, program), "-h")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	inits := make(map[string]string)
	for line := range strings.Lines(trace.String()) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "init" {
			inits[f[1]] = line
		}
	}
	if inits["runtime"] == "" {
		t.Fatalf("no trace: %s", trace.Bytes())
	}
	return inits
}
