package migrate

import (
	"strconv"
	"strings"

	"superlist/lists"
	"superlist/smtp"
)

// members are three directories of files with one address a line.
func (m *mlmmj) members() error {
	noown := m.is("notmetoo")
	for _, kind := range []struct{ dir, word, as string }{
		{"subscribers.d", "", "%s"}, {"digesters.d", wordDigest, "digest for %s"}, {"nomailsubs.d", wordNoMail, "nomail for %s"},
	} {
		files, err := m.files(kind.dir)
		if err != nil {
			m.p.Report.leave(kind.dir, err.Error(), "")
			continue
		}
		took := 0
		for i, file := range files {
			m.step("reading members", i, len(files))
			f, _, err := m.open(file)
			if err != nil {
				m.p.Report.leave(file, err.Error(), "")
				continue
			}
			err = eachLine(f, '\n', func(n int, line []byte, long bool) {
				text := strings.TrimSpace(string(line))
				if text == "" && !long {
					return
				}
				words := []string{kind.word}
				if noown {
					words = append(words, wordNoOwn)
				}
				_, bare := smtp.ParseAddress(text)
				who, ok := member(text, words...)
				if !ok || !bare || long {
					m.p.Report.leaveLine(file, n, short(text)+" is not an address of a member")
					return
				}
				m.p.Members.Add(who)
				took++
			})
			f.Close()
			if err != nil {
				m.p.Report.leave(file, err.Error(), "")
			}
		}
		if took > 0 || kind.word == "" {
			m.p.Report.take(kind.dir, kind.as, count(took, "member"))
		}
		if kind.word == wordDigest {
			m.digests(took)
		}
	}
	if twice := m.p.Members.Join(unite); twice > 0 {
		m.p.Report.take("subscribers.d, digesters.d, nomailsubs.d",
			"%s stood there more than once; those with both each post and digests get each post", count(twice, "address"))
	}
	if noown {
		m.p.Report.take("control/notmetoo", "noown for every member")
		m.p.Report.leave("control/notmetoo", "members who come later get their own posts", "superlist member set LIST ADDRESS noown")
	}
	return nil
}

// mlmmjInterval is how long mlmmj gathers posts where nobody has said it, in seconds.
const mlmmjInterval = 7 * 24 * 60 * 60

// digests is when those who want them get one: after so many seconds, of which a
// day or a week is the nearest.
func (m *mlmmj) digests(members int) {
	lines, there := m.lines("digestinterval")
	seconds, source := mlmmjInterval, "(no control/digestinterval)"
	switch {
	case there:
		source, seconds = "control/digestinterval", 0
		if len(lines) > 0 {
			seconds, _ = strconv.Atoi(lines[0])
		}
	case members == 0:
		return
	}
	if seconds < 1 {
		m.p.Report.leave(source, "it is not a number of seconds; digests go out every day", "superlist list set "+m.p.Addr.Address()+" digest=weekly")
		return
	}
	pace := lists.DigestDaily
	if seconds > mlmmjInterval/2 {
		pace = lists.DigestWeekly
	}
	m.p.set("digest", string(pace))
	m.p.Report.take(source, "digest = %s", pace)
}
