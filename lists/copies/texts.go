package copies

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/maillog"
	"superlist/lists/rewrite/edit"
	"superlist/queue/disk"
)

// texts are what a list adds to its posts.
type texts struct{ top, footer string }

// textsOf reads them and fills in the words, for each kind of copy.
func textsOf(l *lists.List) (map[Variant]texts, error) {
	footer := l.Footer
	if l.FooterFile != "" {
		var err error
		if footer, err = readFooter(l); err != nil {
			return nil, err
		}
	}
	of := make(map[Variant]texts)
	words := Words(l)
	for _, lang := range append(l.TextLanguages(), "") {
		t := texts{l.HeaderTextIn(lang), l.FooterIn(lang, footer)}
		same := texts{fill(t.top, words), fill(t.footer, words)}
		of[Variant{Lang: lang}], of[Variant{Lang: lang, Own: true}] = same, same
		if l.Personal {
			own := maps.Clone(words)
			own["unsubscribe"] = edit.Mark
			of[Variant{Lang: lang, Own: true}] = texts{fill(t.top, own), fill(t.footer, own)}
		}
	}
	return of, nil
}

// fill fills in the words. The value of a word never adds another word or a line break.
func fill(text string, words map[string]string) string {
	var pairs []string
	for word, value := range words {
		if value != edit.Mark {
			value = maillog.Line(value)
		}
		pairs = append(pairs, "{"+word+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// FooterFile returns the path of footer_file; empty if there is none.
func FooterFile(l *lists.List) string {
	if l.FooterFile == "" || filepath.IsAbs(l.FooterFile) {
		return l.FooterFile
	}
	return filepath.Join(l.Dir, l.FooterFile)
}

func readFooter(l *lists.List) (string, error) {
	name := FooterFile(l)
	text, _, err := disk.ReadRegular(name, unix.O_RDONLY, lists.MaxFooter+1)
	if err != nil {
		return "", err
	}
	if what := lists.BadFooter(string(text)); what != "" {
		return "", &config.Error{File: name, Text: what}
	}
	return string(text), nil
}

// CheckFooter returns what is wrong with footer_file.
func CheckFooter(l *lists.List) error {
	if l.FooterFile == "" {
		return nil
	}
	_, err := readFooter(l)
	return err
}

// Words returns the values of the {words} in a footer.
func Words(l *lists.List) map[string]string {
	words := map[string]string{
		"list": l.Addr.Address(), "description": l.Description, "owner": l.Verb("owner").Address(), "help": l.Verb("help").Address(),
		"unsubscribe": l.Verb("unsubscribe").Address(), "archive": "",
	}
	if l.Archive && l.ArchiveAccess != lists.ArchiveNobody {
		words["archive"] = l.Verb(lists.VerbIndex).Address()
	}
	return words
}

// put adds the texts to a message.
func (t texts) put(l *lists.List, m *edit.Message, id string) error {
	for i, text := range []string{t.footer, t.top} {
		if strings.TrimSpace(text) == "" {
			continue
		}
		word, err := l.Seal("part", id, fmt.Sprint(i))
		if err != nil {
			return err
		}
		put := m.Footer
		if i == 1 {
			put = m.Top
		}
		// No text in quoted-printable contains =_: RFC 2045, 6.7.
		how := edit.Manner{AboveSignature: l.FooterPlace == lists.FooterAboveSignature, BesideSigned: l.FooterSigned == lists.SignedWrap}
		if _, err := put(text, "=_"+word, how); err != nil {
			return err
		}
	}
	return nil
}
