package migrate

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"superlist/lists/archive"
	"superlist/lists/bounces"
	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/smtp"
)

// A Parcel is a list in transit, in our terms.
type Parcel struct {
	From    string    // origin: "mlmmj, /var/spool/mlmmj/dev"
	Addr    smtp.Path // of the list
	Owners  []smtp.Path
	Members members.Roster
	Held    []Post
	Archive []Post // in the order of their numbers
	Report  Report

	Bouncing []bounces.Record // about members whose mail came back

	settings []string          // lines of list.toml, "key=value"
	rules    []string          // lines of its rules
	files    map[string][]byte // list.toml, rules, texts.toml, key: unchanged
	comments []string          // lines of a members file
	folder   *folder           // where the posts are

	heldIn, archiveIn string // names of these places in the report
}

// Close releases what the posts are in.
func (p *Parcel) Close() {
	if p.folder != nil {
		p.folder.root.Close()
	}
}

// A Post is a message of a list, held or in its archive.
type Post struct {
	Source  string // the file, for the report
	Name    string // held: its name here; empty: a new one
	Number  int    // in the archive
	Arrived time.Time
	Head    Head
	Open    func() (io.ReadCloser, error) // returns the message, with LF or CRLF lines
}

// Head is what a post has besides the message. It is empty if the other list manager
// does not know it.
type Head struct {
	Client     string   `json:"client,omitempty"`
	From       string   `json:"from,omitempty"` // the return path
	Body       string   `json:"body,omitempty"`
	UTF8       bool     `json:"utf8,omitempty"`
	Proved     []string `json:"proved,omitempty"`
	Why        string   `json:"why,omitempty"`
	Post       string   `json:"post,omitempty"`   // the id its sender was told
	Author     string   `json:"author,omitempty"` // whom Why is about
	RequireTLS bool     `json:"requiretls,omitempty"`
	Ret        string   `json:"ret,omitempty"`
	EnvID      string   `json:"envid,omitempty"`
	ID         string   `json:"id,omitempty"` // in the archive: of the outbound message

	Removed *archive.Removal `json:"removed,omitempty"` // in the archive: the post was removed
}

// manifest is the first file of the tar. It says how much follows.
type manifest struct {
	Format  int    `json:"format"`
	From    string `json:"from"`
	List    string `json:"list"`
	Members int    `json:"members"`
	Held    int    `json:"held"`
	Archive int    `json:"archive"`
}

// format is the version of the tar. Any other version is refused.
const format = 1

// Names in the tar, in their order.
const (
	fileManifest = "superlist.json"
	fileConfig   = "list.toml"
	fileRules    = "rules"
	fileTexts    = "texts.toml"
	fileKey      = "key"
	fileLeft     = "left"
	fileMembers  = "members"
	fileBouncing = "bouncing"
	dirHeld      = "held/"
	dirArchive   = "archive/"
	fileReport   = "report.json" // the last one: without it the tar was cut off
)

// recordHead is the record of a tar header that has a Head.
const recordHead = "SUPERLIST.head"

// set gives the list a setting. value is TOML.
func (p *Parcel) set(key, value string) { p.settings = append(p.settings, key+"="+value) }

// seal makes files from what a reader has found.
func (p *Parcel) seal() error {
	text, err := edit.NewConfig(p.Owners, p.settings)
	if err != nil {
		return err
	}
	p.file(fileConfig, []byte(text))
	if len(p.rules) > 0 {
		p.file(fileRules, []byte(strings.Join(p.rules, "\n")+"\n"))
	}
	return nil
}

// Send writes the parcel as a tar. What cannot be read is left out, and reported. An
// error means that writing failed, or that Receive would not accept something.
func (p *Parcel) Send(w io.Writer) error {
	t := tar.NewWriter(w)
	put := func(name string, content []byte) error {
		if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err := t.Write(content)
		return err
	}
	p.Report.From, p.Report.List = p.From, p.Addr.Address()
	first, err := json.Marshal(manifest{format, p.From, p.Addr.Address(), p.Members.Len(), len(p.Held), len(p.Archive)})
	if err != nil {
		return err
	}
	if err := put(fileManifest, first); err != nil {
		return err
	}
	for _, name := range []string{fileConfig, fileRules, fileTexts, fileKey, fileLeft} {
		if content, ok := p.files[name]; ok {
			if err := put(name, content); err != nil {
				return err
			}
		}
	}
	if err := p.sendMembers(t); err != nil {
		return err
	}
	if len(p.Bouncing) > 0 {
		text, err := p.sendBouncing()
		if err == nil {
			err = put(fileBouncing, text)
		}
		if err != nil {
			return err
		}
	}
	held, archived := 0, 0
	for i, post := range p.Held {
		name := post.Name
		if name == "" {
			name = fmt.Sprint(i)
		}
		sent, err := p.sendPost(t, dirHeld+name, post)
		if err != nil {
			return err
		}
		held += sent
	}
	if held > 0 && p.heldIn != "" {
		p.Report.take(p.heldIn, "%s", count(held, "held post"))
	}
	for _, post := range p.Archive {
		sent, err := p.sendPost(t, dirArchive+strconv.Itoa(post.Number), post)
		if err != nil {
			return err
		}
		archived += sent
	}
	if archived > 0 && p.archiveIn != "" {
		p.Report.take(p.archiveIn, "%s of the archive, with their numbers", count(archived, "post"))
	}
	p.Report.End()
	last, err := json.Marshal(p.Report)
	if err != nil {
		return err
	}
	if err := put(fileReport, last); err != nil {
		return err
	}
	return t.Close()
}

func (p *Parcel) file(name string, content []byte) {
	if p.files == nil {
		p.files = make(map[string][]byte)
	}
	p.files[name] = content
}

func (p *Parcel) sendMembers(t *tar.Writer) error {
	size := 0
	each := func(yield func(string)) {
		for _, line := range p.comments {
			yield(line + "\n")
		}
		for m := range p.Members.All() {
			yield(m.String() + "\n")
		}
	}
	each(func(line string) { size += len(line) })
	if err := t.WriteHeader(&tar.Header{Name: fileMembers, Mode: 0o600, Size: int64(size), Format: tar.FormatPAX}); err != nil {
		return err
	}
	w := bufio.NewWriterSize(t, 64<<10)
	each(func(line string) { w.WriteString(line) })
	return w.Flush()
}

// sendPost sends a message with CRLF lines, or leaves it out, and returns how many were
// sent.
func (p *Parcel) sendPost(t *tar.Writer, name string, post Post) (sent int, err error) {
	size, err := readPost(post, io.Discard)
	if err != nil {
		p.Report.leave(post.Source, err.Error(), "")
		return 0, nil
	}
	head, err := json.Marshal(post.Head)
	if err != nil {
		return 0, err
	}
	h := &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: post.Arrived, Format: tar.FormatPAX}
	if post.Head.any() {
		h.PAXRecords = map[string]string{recordHead: string(head)}
	}
	if err := t.WriteHeader(h); err != nil {
		return 0, err
	}
	// If a file has changed in between, somebody is writing to it.
	again, err := readPost(post, t)
	if err == nil && again != size {
		err = fmt.Errorf("%s: it changed while it was read", post.Source)
	}
	return 1, err
}

func (h Head) any() bool {
	return h.Client+h.From+h.Body+h.Why+h.Author+h.Ret+h.EnvID+h.ID+h.Post != "" || h.UTF8 || h.RequireTLS || len(h.Proved) > 0
}

// readPost copies a message with CRLF lines. Its error says why the file is not a
// message.
func readPost(post Post, w io.Writer) (size int64, err error) {
	f, err := post.Open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := &crlf{w: bufio.NewWriterSize(w, 64<<10)}
	n, err := io.Copy(lines, io.LimitReader(f, maxPost+1))
	if err != nil {
		return 0, err
	}
	if n > maxPost {
		return 0, errLarge
	}
	return lines.close()
}
