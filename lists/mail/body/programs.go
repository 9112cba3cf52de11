package body

// How mail programs write what they put around a quoted letter. The lists were put
// together from what the programs send (Outlook 2010 to 365, on the web, for the
// phone and for the Mac; Gmail; Apple Mail; Thunderbird; Lotus and HCL Notes;
// GroupWise; Yahoo; QQ and NetEase; Proton; K-9, FairEmail, Samsung) and from the
// fixtures of email_reply_trimmer (Discourse) and talon (Mailgun). A language that
// is missing is caught by form: dashes around text, an address with a date before a
// colon, four lines that look like fields.

// separators stand on a line of their own, with or without dashes around them. They are
// in lower case.
var separators = [...]string{
	"original message", "original appointment", "reply message", "forwarded message", "begin forwarded message:", "forwarded by", // English
	"ursprüngliche nachricht", "originalnachricht", "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht:", "weitergeleitet von", // German
	"message d'origine", "message d’origine", "message original", "message transféré", "début du message réexpédié :", "début du message transféré :", // French
	"mensaje original", "mensaje reenviado", "inicio del mensaje reenviado:", // Spanish
	"mensagem original", "mensagem encaminhada", "início da mensagem reencaminhada:", "início da mensagem encaminhada:", // Portuguese
	"messaggio originale", "messaggio inoltrato", "inizio messaggio inoltrato:", // Italian
	"oorspronkelijk bericht", "origineel bericht", "doorgestuurd bericht", "begin doorgestuurd bericht:", // Dutch
	"ursprungligt meddelande", "originalmeddelande", "vidarebefordrat meddelande", "vidarebefordrat brev:", // Swedish
	"oprindelig meddelelse", "original meddelelse", "videresendt meddelelse", "start på videresendt besked:", // Danish
	"opprinnelig melding", "videresendt melding", // Norwegian
	"alkuperäinen viesti", "edelleenlähetetty viesti", // Finnish
	"wiadomość oryginalna", "oryginalna wiadomość", "wiadomość przekazana dalej", // Polish
	"původní zpráva", "přeposlaná zpráva", "pôvodná správa", "preposlaná správa", // Czech, Slovak
	"eredeti üzenet", "továbbított üzenet", // Hungarian
	"mesaj original", "mesajul original", "mesaj redirecționat", // Romanian
	"izvorna poruka", "originalna poruka", "izvirno sporočilo", "оригинална порука", // Croatian, Serbian, Slovenian
	"αρχικό μήνυμα", "προωθημένο μήνυμα", // Greek
	"исходное сообщение", "оригинальное сообщение", "пересылаемое сообщение", "начало переадресованного сообщения:", // Russian
	"вихідне повідомлення", "оригінальне повідомлення", "переслане повідомлення", "оригинално съобщение", // Ukrainian, Bulgarian
	"orijinal mesaj", "özgün ileti", "iletilen ileti", "yönlendirilmiş ileti", // Turkish
	"הודעה מקורית", "الرسالة الأصلية", "رسالة أصلية", // Hebrew, Arabic
	"元のメッセージ", "転送されたメッセージ", "転送メッセージ", "original message follows", // Japanese
	"原始邮件", "邮件原件", "转发的邮件", "转发邮件信息", "原始郵件", "原始訊息", "轉寄的郵件", "回复的原邮件", // Chinese
	"원본 메시지", "원본 메일", "전달된 메시지", // Korean
	"thư gốc", "tin nhắn gốc", "ข้อความต้นฉบับ", "pesan asli", "mesej asal", // Vietnamese, Thai, Indonesian, Malay
}

// An attributing describes a line above a quotation, in lower case: how it starts, and
// the words that follow. These words stand at the end of the line or, if the line
// starts with a word of its own, anywhere before a colon.
type attributing struct{ starts, says string }

var attributions = [...]attributing{
	{"on ", " wrote"}, {"at ", " wrote"}, {"in message ", " writes"}, {"in article ", " writes"}, {"", " wrote"}, {"", " writes"}, // English
	{"am ", " schrieb"}, {"am ", " geschrieben"}, {"", " schrieb"}, {"", " geschrieben"}, {"", " uhr"}, // German; Gmail has the time last
	{"le ", " a écrit"}, {"", " a écrit"}, {"", " a ecrit"}, // French
	{"el ", " escribió"}, {"", " escribió"}, {"", " escribio"}, // Spanish
	{"em ", " escreveu"}, {"", " escreveu"}, {"a ", " escreveu"}, // Portuguese
	{"il ", " ha scritto"}, {"in data ", " ha scritto"}, {"", " ha scritto"}, // Italian
	{"op ", " schreef"}, {"op ", " geschreven"}, {"", " schreef"}, // Dutch
	{"den ", " skrev"}, {"på ", " skrev"}, {"", " skrev"}, {"", " kirjoitti"}, // Nordic
	{"", " napisał"}, {"", " napisał(a)"}, {"", " napisal"}, {"", " napsal"}, {"", " napsal(a)"}, {"", " napísal"}, {"", " napísal(a)"}, // Polish, Czech, Slovak
	{"", " írta"}, {"", " ezt írta"}, {"", " a scris"}, {"", " je napisao"}, {"", " je napisala"}, {"", " je napisao/la"}, {"", " έγραψε"}, // Hungarian, Romanian, Croatian, Greek
	{"", " написал"}, {"", " написал(а)"}, {"", " написала"}, {"", " пишет"}, {"", " пише"}, {"", " написав"}, {"", " написа"}, // Russian, Ukrainian, Bulgarian
	{"", " yazdı"}, {"", " şunu yazdı"}, {"", "כתב"}, {"", "כתב/ה"}, {"", "كتب"}, {"", " đã viết"}, {"", " menulis"}, {"", "เขียนว่า"}, // Turkish, Hebrew, Arabic, Vietnamese, Indonesian, Thai
	{"", "のメール"}, {"", "は書きました"}, {"", "さんは書きました"}, {"", "写道"}, {"", "寫道"}, {"", "님이 작성"}, {"", "작성"}, // Japanese, Chinese, Korean
}

// Kinds of fields of a quoted letter.
const (
	from = iota
	date
	to
	cc
	subject
	other
	kinds
)

// fieldKind returns the kind of field that a label in lower case names.
func fieldKind(label string) (kind int, ok bool) {
	for kind, names := range fields {
		for _, name := range names {
			if label == name {
				return kind, true
			}
		}
	}
	return 0, false
}

// fields are the names of fields as programs translate them, in lower case.
var fields = [kinds][]string{
	from: {
		"from", "von", "de", "da", "van", "från", "fra", "lähettäjä", "od", "feladó", "expeditor", "de la", "από", "от", "от кого", "від", "від кого",
		"kimden", "gönderen", "מאת", "من", "差出人", "送信者", "送信元", "发件人", "寄件者", "寄件人", "發件人", "보낸 사람", "보낸사람", "từ", "จาก", "dari", "pošiljatelj", "pošiljalac",
		"expéditeur", "mittente", "remitente", "remetente", "afzender", "avsändare", "absender", "nadawca", "odesílatel", "reply-to", "antwort an",
	},
	date: {
		"date", "sent", "gesendet", "datum", "envoyé", "envoyé le", "date d'envoi", "fecha", "enviado", "enviado el", "enviado em", "enviada em", "enviada", "data", "inviato",
		"verzonden", "skickat", "sendt", "dato", "lähetetty", "päivämäärä", "wysłano", "wysłane", "odesláno", "odoslané", "dátum", "küldve", "elküldve", "trimis", "trimis la", "στάλθηκε",
		"ημερομηνία", "дата", "отправлено", "надіслано", "изпратено", "gönderildi", "tarih", "gönderme tarihi", "נשלח", "תאריך", "تم الإرسال", "التاريخ", "送信日時", "日時", "日付", "发送时间", "发送日期", "日期",
		"傳送時間", "寄件日期", "時間", "时间", "보낸 날짜", "보낸날짜", "날짜", "đã gửi", "ngày", "ส่ง", "วันที่", "dikirim", "tanggal", "poslano", "poslato",
	},
	to: {
		"to", "an", "à", "a", "para", "aan", "till", "til", "vastaanottaja", "do", "komu", "címzett", "către", "catre", "προς", "кому", "до", "kime", "alıcı", "אל", "إلى",
		"宛先", "受信者", "收件人", "收件者", "받는 사람", "받는사람", "đến", "tới", "ถึง", "kepada", "za", "prima", "destinataire", "destinatario", "destinatário", "pour", "ke",
	},
	cc: {
		"cc", "kopie", "kopi", "kopia", "kopio", "copie", "copie à", "copia", "ccn", "dw", "másolatot kap", "másolat", "копия", "копія", "κοιν.", "κοινοποίηση", "bilgi", "עותק", "نسخة",
		"抄送", "副本", "참조", "สำเนา", "tembusan", "bcc", "cci", "cco",
	},
	subject: {
		"subject", "betreff", "objet", "asunto", "assunto", "oggetto", "onderwerp", "ämne", "emne", "aihe", "temat", "předmět", "predmet", "tárgy", "subiect", "θέμα", "тема", "относно",
		"konu", "נושא", "الموضوع", "件名", "主题", "主旨", "標題", "主題", "제목", "chủ đề", "เรื่อง", "perihal", "subjek", "zadeva", "vec",
	},
	other: {"importance", "wichtigkeit", "attachments", "anlagen", "pièces jointes", "reply to", "répondre à", "priority", "wichtig", "organization", "添付ファイル", "附件"},
}

// devices are the beginnings of lines that phones and programs put at the end of a
// letter, in lower case. Text after a star may occur anywhere in the line.
var devices = [...]string{
	"sent from my ", "sent from mail for", "sent from outlook", "sent from yahoo", "sent from proton", "sent from fastmail", "sent from samsung", "sent from a mobile", "sent from gmail",
	"sent with proton", "sent with tuta", "sent with spark", "get outlook for", "get bluemail",
	"von meinem iphone", "von meinem ipad", "von meinem handy", "von meinem smartphone", "von meinem samsung", "von meinem android", "von meinem mobil", "gesendet von ", "gesendet mit ", "gesendet aus ", "diese nachricht wurde von meinem", "outlook für ios", "outlook für android", "holen sie sich outlook", "diese nachricht wurde mit k-9",
	"envoyé de mon", "envoyé depuis ", "envoyé à partir de ", "envoyé avec ", "obtenir outlook", "télécharger outlook", "provenance : ",
	"enviado desde ", "enviado con ", "obtener outlook", "descargar outlook", "enviado do meu", "enviado de meu", "enviado a partir do", "enviado do ", "obter o outlook", "baixar outlook",
	"inviato da", "inviato con ", "scarica outlook", "ottieni outlook",
	"verzonden vanaf", "verstuurd vanaf", "verzonden met", "verzonden via", "outlook voor ios", "outlook voor android", "download outlook",
	"skickat från", "skickad från", "hämta outlook", "sendt fra", "sendt via", "hent outlook", "få outlook", "lähetetty ", "hanki outlook",
	"wysłane z", "wysłano z", "pobierz outlook", "odesláno z", "odoslané z", "stáhnout outlook", "získať outlook", "elküldve a", "iphone-ról küldve", "trimis de pe", "poslano s",
	"στάλθηκε από", "отправлено с", "отправлено из", "надіслано з", "изпратено от", "*gönderildi", "נשלח מ", "أرسلت من", "تم الإرسال من", "مُرسل من",
	"*から送信", "*より送信", "outlook for ios", "outlook for android", "*を入手", "发自我的", "发送自", "从我的", "從我的", "*傳送", "傳送自", "获取 outlook", "나의 iphone", "나의 ipad", "*에서 보냄", "được gửi từ", "đã gửi từ", "ส่งจาก", "dikirim dari",
}
