package policy

import (
	"io"
	"mime"
	"strings"
	"unicode"

	"superlist/lists"
)

// "unsubscribe", sent to everybody on the list, is not a post, and does not help the
// person who wants to leave. If a session can see that, it refuses the message and says
// how to leave. If only the whole message shows it, deliver holds the post.

// How a word relates to leaving a list. Only a wish suffices by itself.
const (
	wishWord         = 1 << iota // unsubscribe
	takeWord                     // remove (me)
	moveWord                     // take (me off), get (off the list)
	offWord                      // off, from
	personWord                   // me, or an address
	leaveWord                    // leave (the list)
	listWord                     // list
	endWord                      // cancel (my subscription)
	subscriptionWord             // subscription
	stopWord                     // stop (sending)
	mailsWord                    // mails, sending
	politeWord                   // please, thanks, dear all: says nothing
)

// wishes are sets of words that together make a wish.
var wishes = [...]int{
	wishWord, takeWord | personWord, moveWord | offWord | personWord, moveWord | offWord | listWord,
	leaveWord | listWord, endWord | subscriptionWord, stopWord | mailsWord, stopWord | personWord,
}

// AsksToLeave reports whether a text consists only of the wish to leave a list, in one
// of many languages: each of its words relates to that. address is the list's.
func AsksToLeave(text, address string) bool {
	if len(text) > maxLeaving {
		return false
	}
	text = strings.ToLower(text)
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	said := 0
	if rest, asks := withoutSpaces(text); asks {
		text, said = rest, wishWord
	}
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsPunct(c) && c != '-' && c != '@' && c != '\'' && c != '’' && c != '.' && c != '+' && c != '_' || c == '<' || c == '>'
	}) {
		word = strings.Trim(word, "-_.'’")
		if word == "" || word == address || word == local {
			continue
		}
		does := doesWord(strings.ReplaceAll(word, "’", "'"))
		if does == 0 && strings.IndexByte(word, '@') > 0 {
			does = personWord
		}
		if does == 0 {
			return false
		}
		said |= does
	}
	for _, all := range wishes {
		if said&all == all {
			return true
		}
	}
	return false
}

// OnlyAsksToLeave reports whether a text is the wish to leave, with at most a name
// below it.
func OnlyAsksToLeave(text, address string) bool {
	for at := len(text); at > 0; at = strings.LastIndex(text[:at], "\n\n") {
		if len(strings.Fields(text[at:])) > MaxLeavingWords || strings.ContainsAny(text[at:], "?!") {
			return false
		}
		if AsksToLeave(text[:at], address) {
			return true
		}
	}
	return false
}

// words are what has to do with leaving, each with a space before and after it.
var words = [...]struct {
	does int
	all  string
}{
	{wishWord, "" +
		" unsubscribe unsubscribed unsubscription unsubscribing un-subscribe unsubscribeme unsub signoff opt-out optout" + // English
		" unsuscribe unsubcribe unsubscibe unsubscrib unsbscribe unsubsribe" +
		" abmelden abmeldung austragen abbestellen" + // German
		" désabonner désabonnement désinscription désinscrire désinscrivez-moi désabonnez-moi désinscrivez désabonnez supprimez-moi retirez-moi enlevez-moi desabonner desabonnement desinscription" + // French
		" desuscribir desuscribirme desuscribirse desuscríbanme desuscripción baja eliminarme elimínenme borrarme bórrenme quitarme" + // Spanish
		" descadastrar descadastre desinscrever desinscrição descadastramento" + // Portuguese
		" disiscrivere disiscrivetemi disiscrivermi disiscrizione cancellatemi cancellami cancellarmi rimuovetemi toglietemi" + // Italian
		" afmelden uitschrijven uitschrijving avregistrera avprenumerera afmeld frameld avmeld avmelding afmelding" + // Dutch to Norwegian
		" wypisz wypisać wypisanie wypiszcie odhlásit odhlásiť odhlaste odhlášení odjava odjavi odjavite leiratkozás leiratkozom leiratkozni" + // Polish to Hungarian
		" dezabonare dezabonez dezabonați-mă dezabonati-ma απεγγραφή" + // Romanian, Greek
		" отписаться отписать отпишите отписка отпиши отпишете відписатися відпишіть "},
	{takeWord | moveWord, " removed "},
	{takeWord, "" +
		" remove removal delete unlist unenroll löschen entfernen streichen supprimer retirer enlever eliminar borrar quitar" +
		" remova remover retire retirar excluir exclua rimuovere togliere verwijder verwijderen fjern fjerne poista poistakaa" +
		" usuń usunąć usunięcie odstraňte удалите удалить уберите исключите исключить видаліть премахнете "},
	{moveWord, " take get nehmen nehmt meld melde ta tage haal haalt "},
	{offWord, " off from aus af av bort van "},
	{offWord | politeWord, " von of "},
	{personWord, " me my us our mich uns meine moi mon mij mijn mig meg minut mnie mě ma mă меня мене ме mi mío minha "},
	{leaveWord, " leave quit exit verlassen quitter salir sair lasciare verlaten lämna eroan διαγραφή "},
	{listWord, " list lists mailing-list mailinglist maillist listserv liste mailingliste verteiler lista lijst mailinglijst listan listen listalta listy listu listă λίστα рассылки рассылку списка розсилки "},
	{endWord, " cancel terminate kündigen annuler résilier cancelar anular annullare opzeggen avsluta opsige peru peruuta anulować zrušit iptal "},
	{endWord | leaveWord, " çık çıkar çıkarın çıkmak ayrılmak "},
	{listWord, " listeden "},
	{subscriptionWord, " subscription abonnement suscripción inscrição assinatura iscrizione prenumeration prenumerationen tilaus tilaukseni subskrypcję odběr abonelik aboneliği aboneliğimi abonelikten "},
	{stopWord, " stop stopp don't dont "},
	{mailsWord, " emails e-mails mails mailings sending send emailing "},
	{politeWord, "" +
		" please pls plz kindly thanks thank thx you hi hello dear all the this that these mailing any more request asap immediately" +
		" email e-mail mail address newsletter i i'd want to would like wish how do can could be end now subject your and" +
		" bitte danke hallo der dem dieser diesem ich möchte will sie adresse mit freundlichen grüßen" +
		" merci bonjour svp stp s'il vous plaît plait veuillez me-le de la cette je veux souhaite voudrais diffusion" +
		" por favor gracias hola dar darme darse esta quiero deseo correo" +
		" obrigado obrigada me-da da desta quero per favore grazie dalla questa vorrei graag dank deze aub alstublieft tack tak takk från fra ber" +
		" z o proszę prosím se kérem szeretnék vreau să rog lütfen παρακαλώ από τη την" +
		" пожалуйста прошу из от этой моля з "},
}

// doesWord returns how a word relates to leaving; 0: not at all.
func doesWord(word string) int {
	word = " " + word + " "
	for _, w := range words {
		if strings.Contains(w.all, word) {
			return w.does
		}
	}
	return 0
}

// withoutSpaces finds the wish in languages that do not separate words by spaces, or
// whose wish has several words. rest is the text without the wish and polite phrases.
func withoutSpaces(text string) (rest string, asks bool) {
	rest = text
	for _, wish := range [...]string{
		"配信停止", "配信を停止", "購読解除", "購読を解除", "退会", "脱退", "登録解除", "登録を解除", "退订", "退訂", "取消订阅", "取消訂閱", "구독 취소", "구독취소", "구독 해지", "구독해지", "수신거부", "수신 거부",
		"إلغاء الاشتراك", "الغاء الاشتراك", "הסירו אותי", "הסר אותי", "להסיר אותי", "ביטול הרשמה", "ยกเลิกการรับ", "ยกเลิกการสมัคร", "hủy đăng ký", "huỷ đăng ký", "berhenti berlangganan", "सदस्यता समाप्त",
	} {
		rest = strings.ReplaceAll(rest, wish, " ")
	}
	if rest == text {
		return text, false
	}
	for _, polite := range [...]string{
		"メーリングリスト", "メルマガ", "メール", "リスト", "よろしく", "宜しく", "お願い", "いたします", "致します", "ください", "下さい", "ありがとう", "ございます", "希望", "依頼", "申請", "手続き", "したい", "します", "です", "ます", "して", "この", "こちら", "から", "の", "を", "は", "し", "届", "願", "ml",
		"邮件列表", "郵件列表", "邮件", "郵件", "列表", "名单", "名單", "谢谢", "謝謝", "帮我", "幫我", "请", "請", "我", "要", "想", "从", "從", "此", "本", "该",
		"메일링", "리스트", "메일", "신청", "요청", "부탁", "드립니다", "합니다", "해주세요", "해 주세요", "바랍니다", "하고", "싶습니다", "에서", "을", "를", "감사",
		"من", "فضلك", "القائمة", "البريدية", "شكرا", "בבקשה", "מרשימת", "התפוצה", "מהרשימה", "תודה", "ข่าวสาร", "อีเมล", "ครับ", "ค่ะ", "vui lòng", "nhận tin", "tolong", "करें",
	} {
		rest = strings.ReplaceAll(rest, polite, " ")
	}
	return rest, true
}

const (
	// maxLeaving is the longest such text, in bytes.
	maxLeaving = 200
	// maxLeavingBody is how much of a body a session reads for it, in bytes.
	maxLeavingBody = 2 << 10
	// MaxLeavingWords is how many further words come with a wish in the Subject: hello,
	// thanks, a name.
	MaxLeavingWords = 12
)

// JudgeAtDoor is Judge while the sender is on the line: a post that the list would
// accept or hold is refused there if it only asks to leave.
func (l *Policy) JudgeAtDoor(p *Posting) (Decision, error) {
	d, err := l.Judge(p)
	if err != nil || d.Verdict > Confirm {
		return d, err
	}
	leaving, err := l.leaving(p)
	if leaving {
		d = l.reject(p, "leaving", "5.7.1", "this asks to leave the list, and would go to everybody on it; to leave, send an empty mail to %s", l.Verb(lists.VerbUnsubscribe).Address())
	}
	return d, err
}

// leaving reports whether a post only asks to leave, judged by its Subject and a short
// plain text. The body is read only if the Subject suggests it.
func (l *Policy) leaving(p *Posting) (bool, error) {
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
