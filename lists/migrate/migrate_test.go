package migrate

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/heldpost"
	"superlist/lists/ledger/files"
	"superlist/lists/sitetest"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/lists/textfile"
	"superlist/smtp"
)

func testSite(t testing.TB) *site.Site {
	t.Helper()
	site, err := site.Load(sitetest.Write(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	site.Ledger = files.On
	return site
}

// folderOf makes a directory with these files. A name that ends with / is a
// directory.
func folderOf(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name+"x")), 0o700); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// mlmmjList are the files of a list of mlmmj's, with more.
func mlmmjList(more map[string]string) map[string]string {
	files := map[string]string{
		"control/listaddress": "dev@lists.example.org\n", "control/owner": "olga@example.org\n", "subscribers.d/a": "alice@example.com\n",
	}
	for name, text := range more {
		files[name] = text
	}
	return files
}

func send(t testing.TB, p *Parcel, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var b bytes.Buffer
	if err := p.Send(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// move brings a list of mlmmj's in.
func move(t *testing.T, files map[string]string) (Report, *lists.List) {
	t.Helper()
	p, err := Mlmmj(folderOf(t, mlmmjList(files)), Options{})
	return arrive(t, p, err)
}

// TestMlmmjPolicy: who may post and who may join, by the control files.
func TestMlmmjPolicy(t *testing.T) {
	for control, want := range map[string]string{
		"":                           "anyone reject false confirm false true",
		"tocc":                       "anyone reject false confirm false false",
		"subonlypost":                "members reject false confirm false true",
		"modnonsubposts":             "members hold false confirm false true",
		"subonlypost modnonsubposts": "members hold false confirm false true",
		"modonlypost":                "moderators reject false confirm false true",
		"modonlypost modnonsubposts": "anyone reject true confirm false true",
		"moderated":                  "anyone reject true confirm false true",
		"closedlist":                 "anyone reject false closed false true",
		"closedlistsub submod":       "anyone reject false closed false true",
		"submod":                     "anyone reject false confirm+approve false true",
		"submod nosubconfirm":        "anyone reject false approve false true",
		"nosubconfirm notifysub":     "anyone reject false open true true",
	} {
		files := make(map[string]string)
		for _, name := range strings.Fields(control) {
			files["control/"+name] = ""
		}
		_, l := move(t, files)
		got := fmt.Sprintf("%s %s %v %s %v %v", l.Post, l.Nonmembers, l.Moderated, l.Subscribe, l.Notify, l.MustBeNamed)
		if got != want {
			t.Errorf("%q: %s, want %s", control, got, want)
		}
	}
}

// TestControlFiles: each control file of mlmmj's is in the report, whatever is
// in it, and one of nobody's too.
func TestControlFiles(t *testing.T) {
	names := strings.Fields(`listaddress owner moderators delimiter closedlist closedlistsub submod nosubconfirm nodigestsub nonomailsub
		notifysub nosubmodmails nolistsubsemail subonlypost modonlypost modnonsubposts moderated send access tocc maxmailsize modreqlife
		notifymod ifmodsendonlymodmoderate notoccdenymails noaccessdenymails nosubonlydenymails nomodonlydenymails nomaxmailsizedenymails
		prefix customheaders delheaders footer replyto addtohdr notmetoo relayhost smtpport smtphelo verp maxverprecips staticbounceaddr
		memorymailsize bouncelife digestinterval digestmaxmails nodigesttext noarchive noget subonlyget whatisthis`)
	for _, name := range names {
		for _, text := range []string{"", "1\n", "\x00\xff\n" + strings.Repeat("x", maxControl)} {
			files := map[string]string{"control/" + name: text}
			if name == "listaddress" || name == "owner" {
				continue // without them there is no list; the scripts have it
			}
			report, _ := move(t, files)
			found := false
			for _, taken := range report.Taken {
				found = found || strings.Contains(taken.What, name)
			}
			for _, left := range report.Left {
				found = found || strings.Contains(left.What, name)
			}
			// An empty list of moderators, authors or approvers, and a delimiter
			// that is the usual one, say nothing.
			if !found && !(text == "" && (name == "moderators" || name == "send" || name == "delimiter")) {
				t.Errorf("control/%s with %.10q is not in the report: %+v", name, text, report)
			}
		}
	}
}

// TestHostileFolder: no file leads out of the directory, and none has us wait.
func TestHostileFolder(t *testing.T) {
	dir := folderOf(t, mlmmjList(map[string]string{
		"subscribers.d/b": strings.Repeat("b", 1<<20) + "@example.com\nbob@example.net\n\x00\ncarol@example.com",
		"archive/3":       "a\x00b\n", "archive/4": "a\rb\n", "archive/5": "", "moderation/x": "From: a@example.com\nFrom: b@example.com\n\nx\n",
		"moderation/y": "no header at all", "moderation/z": "Subject: " + strings.Repeat("x", 1<<20) + "\n\n",
	}))
	for name, to := range map[string]string{"subscribers.d/c": "/etc/passwd", "archive/1": "../../../../../etc/passwd", "digesters.d": "/etc", "text": "/etc", "moderation/l": "/etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Mlmmj(dir, Options{})
	parcel := send(t, p, err)
	if bytes.Contains(parcel, []byte("root:")) {
		t.Error("what is outside came along")
	}
	site := testSite(t)
	report, err := Target{Site: site}.Receive(bytes.NewReader(parcel))
	if err != nil {
		t.Fatal(err)
	}
	if report.Members != 3 || report.Held != 0 || report.Archive != 0 {
		t.Errorf("%+v", report)
	}
	text, _ := json.Marshal(report)
	for _, want := range []string{`subscribers.d/b:1`, `subscribers.d/b:3`, `subscribers.d/c`, `archive/1`, `archive/3`, `archive/4`, `archive/5`, `"digesters.d"`, `"text"`, "two From fields", "held/"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s is not in the report: %s", want, text)
		}
	}
}

// TestCutOff: of a tar that ends anywhere nothing comes of it, and what is left
// can be begun again.
func TestCutOff(t *testing.T) {
	p, err := Mlmmj(folderOf(t, mlmmjList(map[string]string{
		"moderation/x": "From: eve@example.net\n\nx\n", "archive/1": "From: a@example.com\n\n1\n", "archive/2": "From: a@example.com\n\n2\n",
	})), Options{})
	parcel := send(t, p, err)
	site := testSite(t)
	for n := 0; n < len(parcel); n += 300 {
		_, err := Target{Site: site}.Receive(bytes.NewReader(parcel[:n]))
		if err == nil {
			if n < len(parcel)-2*1024 { // all but the end of the archive: tar(5)
				t.Fatalf("%d of %d bytes are a list", n, len(parcel))
			}
			break
		}
		if !errors.Is(err, ErrParcel) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		nothing(t, site)
	}
	os.RemoveAll(site.ListsDir)
	if _, err := (Target{Site: site}).Receive(bytes.NewReader(parcel)); err != nil {
		t.Error(err)
	}
	if _, err := (Target{Site: site}).Receive(bytes.NewReader(parcel)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
}

// nothing wants no list, and nothing of one, to be there.
func nothing(t *testing.T, site *site.Site) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(site.ListsDir, "*", "*"))
	hidden, _ := filepath.Glob(filepath.Join(site.ListsDir, "*", ".*"))
	if found = append(found, hidden...); len(found) > 0 {
		t.Fatalf("there is %q", found)
	}
}

// tarOf makes a tar of names and contents.
func tarOf(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Name: files[i], Mode: 0o600, Size: int64(len(files[i+1])), Format: tar.FormatPAX}
		if strings.HasPrefix(files[i], "->") {
			h.Name, h.Typeflag, h.Linkname, h.Size = files[i][2:], tar.TypeSymlink, files[i+1], 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeSymlink {
			io.WriteString(w, files[i+1])
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	goodManifest = `{"format":1,"from":"test","list":"dev@lists.example.org"}`
	goodConfig   = "owners = [\"olga@example.org\"]\n"
)

// TestHostileParcel: a tar that somebody else made puts nothing where it does
// not belong.
func TestHostileParcel(t *testing.T) {
	good := []string{"superlist.json", goodManifest, "list.toml", goodConfig, "members", "a@example.com\n"}
	with := func(more ...string) []string { return append(append([]string{}, good...), more...) }
	for name, files := range map[string][]string{
		"empty":             {},
		"no report":         good,
		"another format":    {"superlist.json", `{"format":2,"list":"dev@lists.example.org"}`},
		"no address":        {"superlist.json", `{"format":1,"list":"dev"}`},
		"a list named ..":   {"superlist.json", `{"format":1,"list":"..@lists.example.org"}`, "list.toml", goodConfig},
		"a domain named ..": {"superlist.json", `{"format":1,"list":"dev@.."}`, "list.toml", goodConfig},
		"bad configuration": {"superlist.json", goodManifest, "list.toml", "psot = 1\n"},
		"bad rules":         {"superlist.json", goodManifest, "list.toml", goodConfig, "rules", "nonsense\n", "members", "", "report.json", "{}"},
		"bad key":           {"superlist.json", goodManifest, "list.toml", goodConfig, "key", "short", "members", "", "report.json", "{}"},
		"out of order":      {"superlist.json", goodManifest, "members", "", "list.toml", goodConfig},
		"twice":             with("members", "b@example.com\n", "report.json", "{}"),
		"a path":            with("held/../../x", "From: a@example.com\r\n\r\n", "../x", "x", "report.json", "{}"),
		"absolute":          with("/etc/x", "x", "report.json", "{}"),
		"a link":            with("->held/000000000000", "/etc/passwd", "report.json", "{}"),
		"a bad number":      with("archive/-1", "From: a@example.com\r\n\r\n", "report.json", "{}"),
		"after the report":  with("report.json", "{}", "archive/1", "From: a@example.com\r\n\r\n"),
		"bad report":        with("report.json", "["),
		"no members":        {"superlist.json", goodManifest, "list.toml", goodConfig, "report.json", "{}"},
	} {
		site := testSite(t)
		_, err := Target{Site: site}.Receive(bytes.NewReader(tarOf(t, files...)))
		if name == "no members" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s was taken", name)
		}
		nothing(t, site)
	}
	// A held post whose name is a path gets a name of ours.
	site := testSite(t)
	report, err := Target{Site: site}.Receive(bytes.NewReader(tarOf(t, with("held/../../../x", "From: a@example.com\r\n\r\nx\r\n", "report.json", "{}")...)))
	if err != nil || report.Held != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	found, _ := filepath.Glob(filepath.Join(site.ListsDir, "lists.example.org/dev/held/*"))
	if len(found) != 1 || !heldpost.IsName(filepath.Base(found[0])) {
		t.Errorf("%q", found)
	}
}

// FuzzReceive: whatever comes as a tar, there is a whole list afterwards or
// none.
func FuzzReceive(f *testing.F) {
	f.Add(tarOf(f, "superlist.json", goodManifest, "list.toml", goodConfig, "rules", "pass *\n", "members", "a@example.com\n",
		"held/0", "From: a@example.com\r\n\r\nx\r\n", "archive/1", "From: a@example.com\r\n\r\nx\r\n", "report.json", "{}"))
	f.Fuzz(func(t *testing.T, parcel []byte) {
		site := testSite(t)
		_, err := Target{Site: site}.Receive(bytes.NewReader(parcel))
		if err != nil {
			found, _ := filepath.Glob(filepath.Join(site.ListsDir, "*", "*"))
			if hidden, _ := filepath.Glob(filepath.Join(site.ListsDir, "*", ".*")); len(found)+len(hidden) > 0 {
				t.Fatalf("%v, and there is %q %q", err, found, hidden)
			}
			return
		}
		n := 0
		lists.Of(site).All(func(_ smtp.Path, l *lists.List, err error) bool {
			if err != nil {
				t.Fatal(err)
			}
			n++
			return true
		})
		if n != 1 {
			t.Fatalf("there are %d lists", n)
		}
	})
}

// accounted reads a file of members, and holds that every line is a member's,
// wrong or empty.
func accounted(t *testing.T, text string) {
	var roll members.Roster
	var r Report
	if err := Members("x", strings.NewReader(text), nil, &roll, &r, nil); err != nil {
		t.Fatal(err)
	}
	lines := 0
	head := textfile.Plain([]byte(text))
	if tableOf(head[:min(len(head), maxLine)]) == nil {
		for range bytes.Lines(head) {
			lines++
		}
		if r.Lines+r.Bad+r.Blank != lines {
			t.Fatalf("%d lines: %d taken, %d wrong, %d empty", lines, r.Lines, r.Bad, r.Blank)
		}
	}
	if r.Lines-r.Out > roll.Len() || roll.Len() > strings.Count(string(head), "@") {
		t.Fatalf("%d lines, %d left out, %d members", r.Lines, r.Out, roll.Len())
	}
	for m := range roll.All() {
		line := m.String()
		again, ok := members.Parse(line)
		if !ok || again.String() != line || strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("%q became %q, which is none", text, line)
		}
	}
}

func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		"", "a@example.com\nb\n\n# c\nA <a@example.com> nomail\n", "email,name\na@example.com,A\n\"b\n", "\xef\xbb\xbfAddress;nomail\na@b.c;1\n",
		"J\xf6rg <j@example.com>\r\n", "A <a@b.example>; Doe, B <b@b.example>, c@b.example\n", "\xff\xfea\x00@\x00b\x00.\x00c\x00\r\x00\n\x00", "email;status;x\na@b.c;unsubscribed;1\nb@b.c;?;bounced\n", "a@b.c (A)\rb@b.c\tB\r", "a@example.com name=<x>\n", "email\tfor\ta\n\t\t\nx@y.z\tq@r.s\t",
	} {
		f.Add(seed)
	}
	f.Fuzz(accounted)
}

// FuzzEzmlm: every record of a file of subscribers is a member's or in the
// report.
func FuzzEzmlm(f *testing.F) {
	f.Add("Ta@example.com\x00Tb\x00c@example.com\x00T")
	f.Fuzz(func(t *testing.T, text string) {
		dir := folderOf(t, map[string]string{"subscribers/a": text, "outlocal": "dev\n", "outhost": "lists.example.org\n", "owner": "&olga@example.org\n"})
		p, err := Ezmlm(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.Report.End()
		records := strings.Count(text, "\x00")
		if !strings.HasSuffix(text, "\x00") && text != "" {
			records++
		}
		left := 0
		for _, l := range p.Report.Left {
			if strings.HasPrefix(l.What, "subscribers/a:") {
				left++
			}
		}
		taken := 0
		for _, l := range p.Report.Taken {
			if l.What == "subscribers" {
				fmt.Sscan(l.As, &taken)
			}
		}
		if taken+left != records && records <= maxNamed {
			t.Fatalf("%d records: %d taken, %d left", records, taken, left)
		}
	})
}

// FuzzMailman: what is no JSON, or other JSON than was thought of, leaves the
// rest alone.
func FuzzMailman(f *testing.F) {
	f.Add(`{"entries":[{"email":"a@example.com"}]}`, `{"default_member_action":"hold"}`)
	f.Add(`[{"email":"a@example.com","display_name":"\u0000"},3]`, `{"description":"\n","max_message_size":1e99}`)
	f.Fuzz(func(t *testing.T, roster, more string) {
		var config map[string]any
		if json.Unmarshal([]byte(more), &config) != nil || config == nil {
			return
		}
		config["fqdn_listname"] = "dev@lists.example.org"
		text, err := json.Marshal(config)
		if err != nil {
			return
		}
		p, err := Mailman3(folderOf(t, map[string]string{"config.json": string(text), "owner.txt": "olga@example.org\n",
			"member.json": roster, "nonmember.json": roster, "bans.json": roster, "header-matches.json": roster, "held.json": roster}), Options{})
		parcel := send(t, p, err)
		if _, err := (Target{Site: testSite(t)}).Receive(bytes.NewReader(parcel)); err != nil {
			t.Fatalf("%v\n%s", err, parcel)
		}
	})
}

// TestLargeEntry: an answer of Mailman's is read entry by entry, and none of them
// without end.
func TestLargeEntry(t *testing.T) {
	const max = 64 << 10
	entry := `{"email":"a@example.com"},`
	n := 0
	small := io.MultiReader(strings.NewReader(`[`), io.LimitReader(repeat(entry), 10*max/int64(len(entry))*int64(len(entry))), strings.NewReader(`{}]`))
	if err := entriesOf(small, max, func(int, json.RawMessage) { n++ }); err != nil || n != 10*max/len(entry)+1 {
		t.Errorf("many small ones: %d, %v", n, err)
	}
	large := io.MultiReader(strings.NewReader(`["`), repeat("x"))
	if err := entriesOf(large, max, func(int, json.RawMessage) {}); !errors.Is(err, errEntry) {
		t.Errorf("a large one: %v", err)
	}
}

// repeat reads a text over and over.
func repeat(text string) io.Reader { return &again{text: text} }

type again struct {
	text string
	at   int
}

func (a *again) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], a.text[a.at:])
		n, a.at = n+k, (a.at+k)%len(a.text)
	}
	return n, nil
}

// TestMbox: RFC 4155 and what programs make of it.
func TestMbox(t *testing.T) {
	const text = "From a@example.com Sat Nov 21 10:00:00 2026\nFrom: a@example.com\n\nFrom here on:\n>From there\n>>From\n>>From x\n\n" +
		"From b@example.com Sun Nov 22 11:00:00 2026\r\nFrom: b@example.com\r\n\r\nx\r\n\r\n\r\n"
	d, err := openFolder(folderOf(t, map[string]string{"m": text, "empty": "", "none": "x\n\nFrom", "long": "From x\n" + strings.Repeat("y", 3*maxLine) + "\n\nFrom z Sat Nov 21 10:00:00 +0100 2026\nw"}))
	if err != nil {
		t.Fatal(err)
	}
	defer d.root.Close()
	for name, want := range map[string][]string{
		"m": {"From: a@example.com\n\nFrom here on:\nFrom there\n>>From\n>From x\n", "From: b@example.com\r\n\r\nx\r\n\r\n"}, "empty": nil, "none": nil,
		"long": {strings.Repeat("y", 3*maxLine) + "\n", "w"},
	} {
		posts, err := d.mbox(name)
		if err != nil || len(posts) != len(want) {
			t.Fatalf("%s: %d posts, %v", name, len(posts), err)
		}
		for i, p := range posts {
			f, err := p.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(f)
			f.Close()
			if err != nil || string(got) != want[i] || p.Number != i+1 {
				t.Errorf("%s: %d is %.80q, %v, want %.80q", name, p.Number, got, err, want[i])
			}
			if name == "m" && p.Arrived.Day() != 21+i {
				t.Errorf("%v", p.Arrived)
			}
		}
	}
}

// TestUnite: who is there twice gets what he gets by either.
func TestUnite(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "nomail", ""}, {"nomail", "digest", "digest"}, {"", "digest", ""}, {"nomail", "nomail name=A", "nomail name=A"},
		{"noown name=A", "nocopy name=B", "noown nocopy name=A"}, {"digest", "digest", "digest"}, {"moderated digest", "nomail", "moderated digest"},
	} {
		a, _ := members.Parse("a@example.com " + c.a)
		b, _ := members.Parse("a@example.com " + c.b)
		if got := unite(a, b).String(); got != strings.TrimSpace("a@example.com "+c.want) {
			t.Errorf("%q and %q: %q", c.a, c.b, got)
		}
	}
}

// arrive receives a parcel of the list dev and opens it.
func arrive(t *testing.T, p *Parcel, err error) (Report, *lists.List) {
	t.Helper()
	return arriveAt(t, testSite(t), p, err)
}

func arriveAt(t *testing.T, site *site.Site, p *Parcel, err error) (Report, *lists.List) {
	t.Helper()
	parcel := send(t, p, err)
	report, err := Target{Site: site}.Receive(bytes.NewReader(parcel))
	if err != nil {
		t.Fatal(err)
	}
	l, err := lists.Of(site).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return report, l
}

// TestMailmanPolicy: who may post, by what Mailman does with members and others.
func TestMailmanPolicy(t *testing.T) {
	const roster = `[{"email":"a@example.com"},{"email":"b@example.com","moderation_action":%q}]`
	for _, c := range []struct{ members, nonmembers, b, want string }{
		{"defer", "hold", "", "members hold false: a b"},
		{"accept", "discard", "hold", "members discard false: a b moderated"},
		{"hold", "reject", "", "members reject true: a b"},
		{"hold", "reject", "hold", "members reject true: a b"},
		{"hold", "reject", "accept", "members reject false: a moderated b"},
		{"hold", "reject", "defer", "members reject false: a moderated b"},
		{"defer", "accept", "reject", "anyone reject false: a b, ban b"},
		{"defer", "defer", "discard", "anyone reject false: a b, ban b"},
		{"reject", "reject", "", "moderators reject false: a b"},
		{"discard", "hold", "discard", "moderators reject false: a b"},
		{"defer", "odd", "", "members hold false: a b"},
	} {
		p, err := Mailman3(folderOf(t, map[string]string{"owner.txt": "olga@example.org\n", "member.json": fmt.Sprintf(roster, c.b),
			"config.json": fmt.Sprintf(`{"fqdn_listname":"dev@lists.example.org","default_member_action":%q,"default_nonmember_action":%q}`, c.members, c.nonmembers)}), Options{})
		_, l := arrive(t, p, err)
		got := fmt.Sprintf("%s %s %v:", l.Post, l.Nonmembers, l.Moderated)
		members, err := l.Members()
		if err != nil {
			t.Fatal(err)
		}
		for m := range members.All() {
			got += " " + m.String()
		}
		members.Close()
		if len(l.Ban) > 0 {
			got += ", ban " + strings.Join(l.Ban, " ")
		}
		if got = strings.ReplaceAll(got, "@example.com", ""); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestEzmlmPolicy: who may post and join, by the switches of ezmlm-make, which
// are files in new versions and letters in old ones.
func TestEzmlmPolicy(t *testing.T) {
	for _, c := range []struct{ files, flags, want string }{
		{"public archived", "", "anyone reject false accept confirm false true anyone"},
		{"public subpostonly", "", "members reject false accept confirm false false members"},
		{"public subpostonly", "-abcdefghijklmnopqrstuvwxyz", "members reject false accept confirm false false members"},
		{"public modpost", "", "anyone reject true accept confirm false false anyone"},
		{"public modpost subpostonly", "", "members hold false accept confirm false false members"},
		{"public modpost modpostonly", "", "moderators reject false accept confirm false false anyone"},
		{"public confirmpost", "", "members confirm false confirm confirm false false anyone"},
		{"public confirmpost subpostonly", "", "members reject false confirm confirm false false members"},
		{"", "", "anyone reject false accept closed false false nobody"},
		{"public modsub", "", "anyone reject false accept confirm+approve false false anyone"},
		{"public modsub nosubconfirm", "", "anyone reject false accept approve false false anyone"},
		{"public modgetonly", "", "anyone reject false accept confirm false false nobody"},
		{"public", "old-u", "members reject false accept confirm false false members"},
		{"public", "old-hg", "anyone reject false accept open false false members"},
		{"public", "old-UHG", "anyone reject false accept confirm false false anyone"},
		{"public modpost", "old-o", "moderators reject false accept confirm false false anyone"},
	} {
		files := map[string]string{"subscribers/": "", "outlocal": "dev\n", "outhost": "lists.example.org\n", "owner": "&olga@example.org\n"}
		for _, name := range strings.Fields(c.files) {
			files[name] = ""
		}
		if old, ok := strings.CutPrefix(c.flags, "old"); ok {
			files["config"] = "F:" + old + "\n"
		} else if c.flags != "" {
			files["flags"] = c.flags + "\n"
		}
		p, err := Ezmlm(folderOf(t, files), Options{})
		_, l := arrive(t, p, err)
		got := fmt.Sprintf("%s %s %v %s %s %v %v %s", l.Post, l.Nonmembers, l.Moderated, l.Unverified, l.Subscribe, l.MustBeNamed, l.Archive, l.ArchiveAccess)
		if got != c.want {
			t.Errorf("%q %q: %s, want %s", c.files, c.flags, got, c.want)
		}
	}
}

// TestDigestInterval: the nearest of what there is here, on both sides of the middle.
func TestDigestInterval(t *testing.T) {
	for text, want := range map[string]string{
		"86400\n": "daily", "1\n": "daily", "302400\n": "daily", "302401\n": "weekly", "604800\n": "weekly", "9999999\n": "weekly", "": "daily", "x\n": "daily", "-5\n": "daily",
	} {
		report, l := move(t, map[string]string{"control/digestinterval": text})
		if string(l.Digest) != want {
			t.Errorf("%q: %s, want %s", text, l.Digest, want)
		}
		if wrong := strings.Trim(text, "0123456789\n") != "" || text == ""; wrong != strings.Contains(fmt.Sprint(report.Left), "not a number of seconds") {
			t.Errorf("%q: %+v", text, report.Left)
		}
	}
	for members, want := range map[string]string{"": "daily", "dora@example.com\n": "weekly"} {
		if _, l := move(t, map[string]string{"digesters.d/d": members}); string(l.Digest) != want {
			t.Errorf("digests for %q: %s, want %s", members, l.Digest, want)
		}
	}
}
