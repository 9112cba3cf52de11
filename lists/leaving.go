package lists

import (
	"io"
	"mime"
	"strings"
	"unicode"
)

// "unsubscribe", sent to everybody on the list, is no post, and does not help who wants
// to leave. Where it can be seen while the sender is on the line it is refused, with
// the way out; what only a whole reading of the message shows deliver holds.

// AsksToLeave says that a text is nothing but the wish to leave a list, in one of many
// languages: each of its words has to do with that. list is its address.
func AsksToLeave(text, list string) bool {
	if len(text) > maxLeaving {
		return false
	}
	text = strings.ToLower(text)
	for _, wish := range [...]string{"配信停止", "配信を停止", "退会", "登録解除", "退订", "退訂", "取消订阅", "取消訂閱", "구독 취소", "구독취소", "구독 해지", "수신거부"} {
		if strings.Contains(text, wish) && len([]rune(strings.TrimSpace(text))) <= maxLeavingCJK {
			return true
		}
	}
	local, _, _ := strings.Cut(strings.ToLower(list), "@")
	wish, me := false, false
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsPunct(c) && c != '-' && c != '@' && c != '\'' && c != '’' && c != '.'
	}) {
		word = strings.Trim(word, "-.'’")
		switch word {
		case "", list, local:
		case "unsubscribe", "unsubscribed", "unsubscription", "unsub", "signoff", "opt-out", "optout", // English
			"abmelden", "abmeldung", "austragen", "abbestellen", // German
			"désabonner", "désabonnement", "désinscription", "désinscrire", "désinscrivez-moi", "désabonnez-moi", // French
			"desuscribir", "desuscribirme", "desuscribirse", "baja", // Spanish
			"descadastrar", "descadastre", "desinscrever", // Portuguese
			"disiscrivere", "disiscrivetemi", "disiscrizione", "cancellatemi", "cancellami", // Italian
			"afmelden", "uitschrijven", "avregistrera", "avprenumerera", "afmeld", "frameld", "avmelding", // Dutch to Norwegian
			"wypisz", "wypisać", "wypisanie", "odhlásit", "odhlášení", "leiratkozás", "leiratkozom", // Polish to Hungarian
			"отписаться", "отпишите", "отписка", "відписатися":
			wish = true
		case "remove", "delete", "unlist", "leave", "stop":
			me = true
		case "me", "my", "us", "mails", "emails", "mailings", "sending":
			wish = wish || me
		case "please", "pls", "plz", "kindly", "thanks", "thank", "you", "hi", "hello", "dear", "all", "from", "the", "this", "list", "mailing", "mailing-list",
			"mailinglist", "email", "e-mail", "mail", "address", "subscription", "i", "want", "to", "would", "like", "wish", "how", "do", "can", "be", "end", "now", "subject", "your", "and", "of",
			"bitte", "danke", "hallo", "mich", "von", "der", "dieser", "liste", "mailingliste", "aus", "ich", "möchte", "will",
			"merci", "bonjour", "svp", "me-le", "de", "la", "cette", "je", "veux", "souhaite", "diffusion",
			"por", "favor", "gracias", "hola", "dar", "darme", "darse", "lista", "esta", "quiero", "correo",
			"obrigado", "me-da", "da", "per", "favore", "grazie", "dalla", "questa", "graag", "dank", "van", "deze", "lijst", "tack", "tak", "takk", "mnie", "z", "listy", "proszę",
			"пожалуйста", "от", "рассылки", "меня":
		default:
			return false
		}
	}
	return wish
}

const (
	// maxLeaving is how long such a text is, in bytes, and maxLeavingCJK where words
	// have no spaces between them, in characters.
	maxLeaving    = 200
	maxLeavingCJK = 24
	// maxLeavingBody is how much of a body is read for it in a session.
	maxLeavingBody = 2 << 10
	// MaxLeavingWords is how many words somebody adds who writes the wish into the
	// Subject: hello, thanks, a name.
	MaxLeavingWords = 12
)

// JudgeAtDoor is Judge while the sender is on the line: a post that the list would
// take, or hold, is refused there where it only asks to leave.
func (l *List) JudgeAtDoor(p *Posting) (Decision, error) {
	d, err := l.Judge(p)
	if err != nil || d.Verdict > Confirm {
		return d, err
	}
	leaving, err := l.leaving(p)
	if leaving {
		d = l.reject(p, "leaving", "5.7.1", "this asks to leave the list, and would go to everybody on it; to leave, send an empty mail to %s", l.Verb(VerbUnsubscribe).Address())
	}
	return d, err
}

// leaving says that a post only asks to leave, as far as its Subject and a short plain
// text show. The body is read where the Subject says it, and else not.
func (l *List) leaving(p *Posting) (bool, error) {
	subject, err := new(mime.WordDecoder).DecodeHeader(p.Header.Get("Subject"))
	if err != nil || !AsksToLeave(subject, l.Addr.Address()) || p.Body == nil {
		return false, nil
	}
	kind := firstWord(p.Header.Get("Content-Type"))
	if kind != "" && kind != "text/plain" || strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
		return false, nil
	}
	r, err := p.Body()
	if err != nil {
		return false, err
	}
	text := make([]byte, maxLeavingBody)
	n, err := io.ReadFull(r, text)
	if err == nil || len(strings.Fields(string(text[:n]))) > MaxLeavingWords { // there is more
		return false, nil
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	return true, nil
}
