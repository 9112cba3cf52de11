// Package edittest has messages of each kind that a list may have to change.
package edittest

import (
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"

	"superlist/lists/mail/charset"
)

// A Sample is one of them.
type Sample struct {
	Name string // says why
	Raw  string
	Want string // where a footer in ASCII goes; empty: anywhere
}

// Values of Sample.Want.
const (
	Inside  = "in the text"
	Apart   = "in a part of its own"
	Nowhere = "nowhere"
)

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// Wrapped returns base64 in lines of a width.
func Wrapped(text string, width int) string {
	s := base64.StdEncoding.EncodeToString([]byte(text))
	var lines []string
	for len(s) > width {
		lines, s = append(lines, s[:width]), s[width:]
	}
	return strings.Join(append(lines, s), "\r\n") + "\r\n"
}

// encoded returns a text in a transfer encoding.
func encoded(text, encoding string) string {
	switch encoding {
	case "base64":
		return Wrapped(text, 76)
	case "quoted-printable":
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		w.Write([]byte(text))
		w.Close()
		return b.String()
	}
	return text
}

// Head is the beginning of their headers.
const Head = "From: Alice <alice@author.example>\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nMessage-ID: <1@author.example>\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n"

// Corpus returns all samples.
func Corpus() (list []Sample) {
	add := func(name string, want string, fields, body string) {
		list = append(list, Sample{name, Head + crlf(fields) + "\r\n" + body, want})
	}
	mime := func(name string, want string, fields, body string) {
		add(name, want, "MIME-Version: 1.0\n"+fields, crlf(body))
	}
	// Without MIME.
	add("plain old text", Inside, "", "Hello.\r\n")
	add("no line end at the end", Inside, "", "Hello.")
	add("many line ends at the end", Inside, "", "Hello.\r\n\r\n\r\n")
	add("nothing in it", Inside, "", "")
	add("one empty line", Inside, "", "\r\n")
	add("a signature", Inside, "", "Hello.\r\n-- \r\nAlice\r\n")
	add("looks like a boundary", Inside, "", "--\r\n--x\r\n--x--\r\n")
	add("a patch of git", Inside, "", "---\r\n a.c | 2 +-\r\n\r\ndiff --git a/a.c b/a.c\r\n--- a/a.c\r\n+++ b/a.c\r\n@@ -1 +1 @@\r\n-a\r\n+b\r\n-- \r\n2.39.1\r\n\r\n")
	add("8-bit without a charset", Inside, "", "gr\xfc\xdfe\r\n")
	add("300 references", Inside, "References:"+strings.Repeat("\n <12345678901234567890@author.example>", 300)+"\n", "Hello.\r\n")
	list = append(list, Sample{"header only", Head, Inside}, Sample{"no header", "\r\nHello.\r\n", Inside})
	add("lines of dots", Inside, "", ".\r\n..\r\n")
	add("From at the beginning", Inside, "", "From here on\r\n")
	// Each transfer encoding, with each end that it may have.
	for _, encoding := range []string{"7bit", "8bit", "quoted-printable", "base64", "binary"} {
		for i, text := range []string{"Hello.\r\n", "Hello.", "", "a", "ab", "abc", "abcd\r\n", strings.Repeat("long line of a text that goes on ", 9) + "\r\n", "tail  \r\n", "a=b\r\n\r\n"} {
			add(fmt.Sprintf("%s, end %d", encoding, i), Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: "+encoding+"\n", encoded(text, encoding))
			mime(fmt.Sprintf("%s in mixed, end %d", encoding, i), Inside, "Content-Type: multipart/mixed; boundary=b\n",
				"--b\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: "+encoding+"\n\n"+encoded(text, encoding)+"\n--b--\n")
		}
	}
	// Odd forms of the encodings.
	text := "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
	mime("QP that ends in a soft break", Inside, text+"quoted-printable\n", "Hello=\n")
	mime("QP that ends in a soft break without an end", Inside, text+"quoted-printable\n", "Hello=")
	mime("QP with blanks behind a soft break", Inside, text+"quoted-printable\n", "Hello= \t\nyou\n")
	mime("QP with its line end written out", Inside, text+"quoted-printable\n", "Hello=0D=0A")
	mime("QP with small letters", Inside, text+"quoted-printable\n", "gr=c3=bc=c3=9fe\n")
	mime("QP with a wrong escape", Apart, text+"quoted-printable\n", "1+1=zz\n")
	mime("QP in 8-bit", Inside, text+"quoted-printable\n", "gr\xc3\xbc\n")
	mime("base64 in one line", Inside, text+"base64\n", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("Hello. ", 40)))+"\n")
	mime("base64 in lines of 60", Inside, text+"base64\n", Wrapped(strings.Repeat("Hello. ", 40), 60))
	mime("base64 in lines of 7", Inside, text+"base64\n", Wrapped(strings.Repeat("Hello. ", 4), 7))
	mime("base64 with LF in it", Inside, text+"base64\n", Wrapped("Hello.\nyou\n", 76))
	mime("base64 without padding", Apart, text+"base64\n", "SGVsbG8\n")
	mime("base64 with padding in the middle", Apart, text+"base64\n", "SGVsbG8=\nSGVsbG8=\n")
	mime("base64 with a comment behind it", Apart, text+"base64\n", "SGVsbG8h\n-- list\n")
	mime("base64 without a line end", Inside, text+"base64\n", "SGVsbG8h")
	mime("base64 with empty lines", Inside, text+"base64\n", "SGVs\n\nbG8h\n\n\n")
	mime("an encoding that nobody knows", Apart, text+"x-uuencode\n", "begin 644 a\nend\n")
	mime("an encoding in capitals", Inside, text+"BASE64\n", "SGVsbG8h\n")
	mime("an encoding in capitals with a comment", Apart, text+"BASE64 (really)\n", "SGVsbG8h\n")
	mime("an encoding in quotes", Apart, text+"\"base64\"\n", "SGVsbG8h\n")
	// Each character set that x/text knows, in each encoding.
	for _, label := range []string{"us-ascii", "utf-8", "UTF-8", "\"utf-8\"", "iso-8859-1", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-8-i", "iso-8859-9", "iso-8859-10", "iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16",
		"windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",
		"koi8-r", "koi8-u", "macintosh", "x-mac-cyrillic", "ibm866", "ibm437", "ibm850", "ibm852", "ibm855", "ibm860", "ibm862", "ibm863", "ibm865", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "iso-2022-jp", "hz-gb-2312", "utf-16le", "utf-16be"} {
		name := strings.Trim(label, `"`)
		b, _ := charset.Encode(name, "Hello.\r\n")
		for _, said := range []string{"grüße", "привет", "привiт", "שלום", "مرحبا", "γεια", "ŝi", "ñu", "สวัสดี", "こんにちは", "你好", "안녕"} {
			if c, ok := charset.Encode(name, said+"\r\n"); ok {
				b = c
				break
			}
		}
		for _, encoding := range []string{"8bit", "quoted-printable", "base64"} {
			wide := strings.HasPrefix(name, "utf-16")
			if wide && encoding != "base64" {
				continue
			}
			add(label+" in "+encoding, Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset="+label+"\nContent-Transfer-Encoding: "+encoding+"\n", encoded(string(b), encoding))
		}
	}
	add("UTF-16 with a byte order mark", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n", Wrapped("\xff\xfeh\x00i\x00\r\x00\n\x00", 76))
	add("UTF-16 without one, which may be either", Apart, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n", Wrapped("\x00h\x00i", 76))
	add("UTF-16 in QP", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: quoted-printable\n", "h=00i=00=0D=00=0A=00=\r\n")
	add("UTF-8 with a byte order mark", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n", Wrapped("\xef\xbb\xbfHello\r\n", 76))
	add("ISO-2022-JP left in its state", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: 7bit\n", "\x1b$B$3$s\r\n")
	add("ISO-2022-JP left in its state, QP", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: quoted-printable\n", "=1B$B$3$s")
	add("ISO-2022-JP left in its state, base64", Inside, "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n", Wrapped("\x1b$B$3$s", 76))
	add("a charset that nobody knows", Apart, "MIME-Version: 1.0\nContent-Type: text/plain; charset=x-klingon\n", "gr\xfc\xdfe\r\n")
	add("UTF-7", Apart, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-7\n", "gr+APwA3w-e\r\n")
	add("a charset twice", Nowhere, "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; charset=iso-8859-1\n", "gr\r\n")
	// format=flowed
	flow := "Content-Type: text/plain; charset=utf-8; format=flowed"
	mime("flowed", Inside, flow+"\n", "Hello \nyou\n")
	mime("flowed, the last line goes on", Inside, flow+"\n", "Hello \nyou \n")
	mime("flowed, the last line goes on without an end", Inside, flow+"\n", "Hello \nyou ")
	mime("flowed and delsp", Inside, flow+"; delsp=yes\n", "Hel \nlo \n")
	mime("flowed, a signature without words", Inside, flow+"\n", "Hello\n-- \n")
	mime("flowed, a quote at the end", Inside, flow+"\n", "Hello\n> quoted \n")
	mime("flowed in QP", Inside, flow+"\nContent-Transfer-Encoding: quoted-printable\n", "Hello=20\nyou=20\n")
	mime("flowed in base64", Inside, flow+"\nContent-Transfer-Encoding: base64\n", Wrapped("Hello \r\nyou \r\n", 76))
	// HTML
	html := "Content-Type: text/html; charset=utf-8\n"
	for i, page := range []string{
		"<html><head><title>x</title></head><body><p>Hello.</p></body></html>\n", "<p>Hello.</p>\n", "Hello.", "", "<HTML><BODY BGCOLOR=\"#ffffff\">Hello.</BODY>\n</HTML>\n",
		"<body>Hello.<!-- </body> -->\n", "<body>Hello.<script>document.write(\"</body>\")</script>\n</body>\n", "<body>a</body>\n<body>b</body>\n", "<p>Hello.</html>\n",
		"<!DOCTYPE html>\n<p>Hello.\n", "<body><p>gr\xc3\xbc\xc3\x9fe</p></body>\n", "<body><textarea></body></textarea></body>\n", "<body class='a>b'>x</body>\n",
	} {
		for _, encoding := range []string{"8bit", "quoted-printable", "base64"} {
			add(fmt.Sprintf("HTML %d in %s", i, encoding), Inside, "MIME-Version: 1.0\n"+html+"Content-Transfer-Encoding: "+encoding+"\n", encoded(crlf(page), encoding))
		}
	}
	for i, page := range []string{"<body>Hello.<!-- never closed\n", "<p>Hello.<script>x\n", "<p>Hello.<style>\n", "<p>Hello.<a href=\"x\n"} {
		add(fmt.Sprintf("HTML with something open %d", i), Apart, "MIME-Version: 1.0\n"+html, crlf(page))
	}
	add("HTML in Latin-1", Inside, "MIME-Version: 1.0\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n", "<body>gr\xfc\xdfe</body>\r\n")
	jp, _ := charset.Encode("iso-2022-jp", "<body>こんにちは＜</body>\r\n")
	add("HTML in ISO-2022-JP", Inside, "MIME-Version: 1.0\nContent-Type: text/html; charset=iso-2022-jp\n", string(jp))
	add("HTML in Shift_JIS", Inside, "MIME-Version: 1.0\nContent-Type: text/html; charset=shift_jis\nContent-Transfer-Encoding: 8bit\n", "<body>\x83\\\x83</body>\r\n")
	mime("HTML with a tag over soft breaks", Inside, html+"Content-Transfer-Encoding: quoted-printable\n", "<body>Hello.</bo=\ndy></html>\n")
	// Structures
	plain, page := "Content-Type: text/plain; charset=utf-8\n\nHello.\n", "Content-Type: text/html; charset=utf-8\n\n<p>Hello.</p>\n"
	image := "Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=a.png\n\niVBORw0KGgo=\n"
	alternative := "Content-Type: multipart/alternative; boundary=alt\n\n--alt\n" + plain + "\n--alt\n" + page + "\n--alt--\n"
	multi := func(kind string, parts ...string) string {
		s := "Content-Type: multipart/" + kind + "; boundary=b\n\nThis is a preamble.\n"
		for _, p := range parts {
			s += "--b\n" + p + "\n"
		}
		return s + "--b--\nThis is an epilogue.\n"
	}
	whole := func(name string, want string, entity string) {
		fields, body, _ := strings.Cut(entity, "\n\n")
		mime(name, want, fields+"\n", body)
	}
	whole("alternative", Inside, alternative)
	whole("mixed", Inside, multi("mixed", plain, image))
	whole("mixed, the picture first", Inside, multi("mixed", image, plain))
	whole("mixed, pictures only", Apart, multi("mixed", image, image))
	whole("mixed with alternative", Inside, multi("mixed", alternative, image))
	whole("mixed in mixed", Inside, multi("mixed", "Content-Type: multipart/mixed; boundary=bb\n\n--bb\n"+plain+"\n--bb\n"+image+"\n--bb--\n", image))
	whole("boundaries that begin each other", Inside, multi("mixed", strings.ReplaceAll(alternative, "alt", "b2"), image))
	whole("alternative with related", Inside, multi("alternative", plain, "Content-Type: multipart/related; boundary=rel\n\n--rel\n"+page+"\n--rel\n"+image+"\n--rel--\n"))
	whole("related, the root last", Inside, "Content-Type: multipart/related; boundary=b; start=\"<x@y>\"\n\n--b\n"+image+"\n--b\nContent-ID: <x@y>\n"+page+"\n--b--\n")
	whole("Apple's mixed in alternative", Inside, multi("alternative", plain, "Content-Type: multipart/mixed; boundary=mm\n\n--mm\n"+page+"\n--mm\n"+image+"\n--mm\n"+page+"\n--mm--\n"))
	whole("text, picture, text", Inside, multi("mixed", plain, image, plain))
	whole("alternative with a calendar", Inside, multi("alternative", plain, page, "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"))
	whole("alternative, one of which nobody can write", Apart, multi("alternative", "Content-Type: text/plain; charset=x-klingon\n\n\xfc\n", page))
	whole("a calendar alone", Nowhere, "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n")
	whole("a picture alone", Apart, image)
	whole("a patch alone", Apart, "Content-Type: text/x-patch; charset=utf-8\n\n--- a\n+++ b\n")
	whole("a named text alone", Apart, "Content-Type: text/plain; charset=utf-8; name=a.patch\n\n--- a\n+++ b\n")
	whole("an attached text alone", Apart, "Content-Type: text/plain\nContent-Disposition: attachment\n\nlog\n")
	whole("text and an attached text", Inside, multi("mixed", plain, "Content-Type: text/plain\nContent-Disposition: inline; filename=log.txt\n\nlog\n"))
	whole("a forwarded message", Inside, multi("mixed", plain, "Content-Type: message/rfc822\n\nFrom: x@example.com\nSubject: y\n\nInner.\n"))
	whole("a message alone", Apart, "Content-Type: message/rfc822\n\nFrom: x@example.com\nSubject: y\n\nInner.\n")
	whole("a digest", Apart, multi("digest", "\nFrom: x@example.com\n\nInner.\n"))
	whole("a report", Nowhere, multi("report; report-type=delivery-status", plain, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\nAction: failed\n"))
	whole("signed", Nowhere, multi("signed; protocol=\"application/pgp-signature\"", plain, "Content-Type: application/pgp-signature\n\nx\n"))
	whole("signed in mixed", Apart, multi("mixed", "Content-Type: multipart/signed; boundary=s\n\n--s\n"+plain+"\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n"))
	whole("signed in mixed, with another list's footer", Inside, multi("mixed", "Content-Type: multipart/signed; boundary=s\n\n--s\n"+plain+"\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n", plain))
	whole("encrypted", Nowhere, multi("encrypted; protocol=\"application/pgp-encrypted\"", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n", "Content-Type: application/octet-stream\n\nx\n"))
	whole("S/MIME", Nowhere, "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nAAAA\n")
	whole("inline PGP", Nowhere, "Content-Type: text/plain\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello.\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n")
	whole("inline PGP in base64", Nowhere, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"+strings.ReplaceAll(Wrapped("-----BEGIN PGP MESSAGE-----\r\nx\r\n-----END PGP MESSAGE-----\r\n", 76), "\r", ""))
	whole("inline PGP in mixed", Nowhere, multi("mixed", "Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----\n", image))
	whole("PGP that is talked of", Inside, "Content-Type: text/plain\n\nIt begins with -----BEGIN PGP MESSAGE-----, does it?\n")
	whole("never closed", Inside, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"+plain)
	whole("never closed, pictures only", Apart, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"+image)
	whole("never opened", Nowhere, "Content-Type: multipart/mixed; boundary=b\n\nHello.\n")
	whole("closed at once", Nowhere, "Content-Type: multipart/mixed; boundary=b\n\n--b--\n")
	whole("no boundary", Nowhere, "Content-Type: multipart/mixed\n\nHello.\n")
	whole("an empty part", Inside, multi("mixed", "\n", image))
	whole("a part without a body", Nowhere, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n--b--\n")
	whole("a part without an empty line", Nowhere, "Content-Type: multipart/mixed; boundary=b\n\n--b\nHello, this is no field\n--b--\n")
	whole("a boundary in quotes with spaces", Inside, "Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b\n"+plain+"\n--a b--\n")
	whole("blanks behind boundaries", Inside, "Content-Type: multipart/mixed; boundary=b\n\n--b \n"+plain+"\n--b--\t\n")
	whole("a line that begins with a boundary", Nowhere, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"+plain+"--bx\n\n--b--\n")
	whole("a part behind the last boundary", Nowhere, multi("mixed", plain)+"--b\n"+image+"\n--b--\n")
	whole("a multipart in base64", Nowhere, "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\nLS1i\n")
	whole("a header field that is folded", Inside, "Content-Type: multipart/mixed;\n\tboundary=b\n\n--b\nContent-Type: text/plain;\n charset=utf-8\n\nHello.\n\n--b--\n")
	whole("no CRLF in front of the last boundary but that of the text", Inside, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello.\n--b--")
	whole("two Content-Types", Nowhere, "Content-Type: text/plain\nContent-Type: text/html\n\nHello.\n")
	whole("Content-Type that says nothing", Inside, "Content-Type: text\n\nHello.\n")
	whole("binary", Inside, multi("mixed", plain, "Content-Type: application/octet-stream\nContent-Transfer-Encoding: binary\n\n\x00\x01\xff\x80 no line end"))
	whole("S/MIME, clear-signed", Nowhere, multi("signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256", plain, "Content-Type: application/pkcs7-signature; name=smime.p7s\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7s\n\nMIIB\n"))
	whole("S/MIME, encrypted", Nowhere, "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7m\n\nMIIB\n")
	whole("PGP/MIME over alternatives", Nowhere, multi("signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha512; protected-headers=\"v1\"", alternative, "Content-Type: application/pgp-signature; name=signature.asc\n\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"))
	whole("Outlook's winmail.dat", Inside, multi("mixed", plain, "Content-Type: application/ms-tnef; name=\"winmail.dat\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"winmail.dat\"\n\neJ8+\n"))
	whole("an invitation of Outlook's", Inside, multi("alternative", plain, page, "Content-Type: text/calendar; charset=\"utf-8\"; method=REQUEST\nContent-Transfer-Encoding: base64\n\nQkVHSU46VkNBTEVOREFSDQpFTkQ6VkNBTEVOREFSDQo=\n"))
	whole("ten levels of parts", Inside, nested(10, plain))
	whole("text/enriched", Apart, "Content-Type: text/enriched\n\n<bold>Hello.</bold>\n")
	return append(list, odd()...)
}

// nested returns a part within depth multiparts.
func nested(depth int, part string) string {
	for i := range depth {
		part = fmt.Sprintf("Content-Type: multipart/mixed; boundary=level%dx\n\n--level%dx\n%s\n--level%dx--\n", i, i, part, i)
	}
	return part
}
