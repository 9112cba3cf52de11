package edittest

import "strings"

// odd returns messages that are written in ways which are rare, or wrong.
func odd() (list []Sample) {
	add := func(name, want, entity string) {
		list = append(list, Sample{name, Head + "MIME-Version: 1.0\r\n" + crlf(entity), want})
	}
	bare := func(name, want, entity string) { list = append(list, Sample{name, Head + crlf(entity), want}) }
	plain, page := "Content-Type: text/plain; charset=utf-8\n\nHello.\n", "Content-Type: text/html; charset=utf-8\n\n<p>Hello.</p>\n"
	data := "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: base64\n\nAAAA\n"
	signed := "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n--s\n" + plain + "\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n"
	with := func(field string, boundary string, parts ...string) string {
		s := field + "\n\n"
		for _, p := range parts {
			s += "--" + boundary + "\n" + p + "\n"
		}
		return s + "--" + boundary + "--\n"
	}
	mixed := func(parts ...string) string { return with("Content-Type: multipart/mixed; boundary=b", "b", parts...) }

	// Fields.
	add("comments in Content-Type", Inside, "Content-Type: text/plain (really; so) ; charset=utf-8 (yes)\n\nHello.\n")
	add("a comment in MIME-Version, and none", Inside, "X-MIME: x\nContent-Type: text/plain\n\nHello.\n")
	bare("a multipart without MIME-Version", Inside, mixed(plain, data))
	bare("MIME-Version with a comment", Inside, "MIME-Version: (produced by x) 1.0\n"+plain)
	add("blanks around =", Inside, "Content-Type: text/plain; charset = utf-8\n\nHello.\n")
	add("all in capitals", Inside, "CONTENT-TYPE: TEXT/PLAIN; CHARSET=UTF-8\nCONTENT-TRANSFER-ENCODING: 7BIT\n\nHello.\n")
	add("semicolons with nothing between", Inside, "Content-Type: text/plain;;charset=us-ascii;\n\nHello.\n")
	add("a charset in RFC 2231", Inside, "Content-Type: text/plain; charset*=us-ascii'en'utf-8\n\nHello.\n")
	add("a boundary in RFC 2231", Nowhere, with("Content-Type: multipart/mixed; boundary*=us-ascii''b", "b", plain))
	add("a boundary in pieces", Nowhere, with("Content-Type: multipart/mixed; boundary*0=b; boundary*1=c", "bc", plain))
	add("a boundary of 70", Inside, with("Content-Type: multipart/mixed; boundary="+strings.Repeat("x", 70), strings.Repeat("x", 70), plain, data))
	add("a boundary that begins with dashes", Inside, with("Content-Type: multipart/mixed; boundary=\"--b\"", "--b", plain, data))
	add("a boundary that ends with a blank", Inside, with("Content-Type: multipart/mixed; boundary=\"b \"", "b", plain, data))
	add("a boundary of marks", Inside, with("Content-Type: multipart/mixed; boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?", plain, data))
	add("an encoding with a semicolon", Apart, "Content-Type: text/plain\nContent-Transfer-Encoding: 7bit;\n\nHello.\n")
	add("inline with a name that is empty", Inside, "Content-Type: text/plain; name=\"\"\nContent-Disposition: INLINE; filename=\"\"\n\nHello.\n")
	add("a name in pieces", Apart, "Content-Type: text/plain\nContent-Disposition: inline; filename*0*=utf-8''lo; filename*1=g.txt\n\nlog\n")
	add("format with a capital", Inside, "Content-Type: text/plain; format=\"Flowed\"; DelSp=\"Yes\"\n\nHello \n\n")
	add("a group in To", Inside, "Cc: undisclosed-recipients:;, A Group: a@example.com, \"b, c\" <b@example.com>;\n"+plain)
	add("raw Latin-1 in a field", Inside, "X-Name: J\xfcrgen\nComments: \xff\xfe\n"+plain)
	add("a fold with nothing but blanks", Inside, "X-A: a\n \t\n b\n"+plain)
	add("a header of 60 KiB", Inside, "X-Spam-Report: "+strings.Repeat("\n * 0.1 a line of a report of a filter that says a lot", 1100)+"\n"+plain)
	add("two From", Inside, "From: Eve <eve@author.example>\n"+plain)
	// Character sets.
	for _, label := range []string{"utf8", "latin1", "cp1252", "ansi_x3.4-1968", "iso_8859-1:1987", "\"\"", "cp932"} {
		add("the charset "+label, "", "Content-Type: text/plain; charset="+label+"\n\nHello.\n")
	}
	add("ASCII that is not", Inside, "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 8bit\n\ngr\xc3\xbcn\n")
	add("ISO-2022-KR", Apart, "Content-Type: text/plain; charset=iso-2022-kr\n\n\x1b$)C\x0e>H3g\x0f\n")
	add("UTF-32", Apart, "Content-Type: text/plain; charset=utf-32\nContent-Transfer-Encoding: base64\n\nAABIAAA=\n")
	add("UTF-16 in 8bit", Apart, "Content-Type: text/plain; charset=utf-16be\nContent-Transfer-Encoding: 8bit\n\n\x00H\x00i\n")
	add("HTML in UTF-16", Apart, "Content-Type: text/html; charset=utf-16le\nContent-Transfer-Encoding: base64\n\nPABiAD4A\n")
	add("a NUL in the text", Inside, "Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nHel\x00lo.\n")
	// Encodings.
	add("QP, a soft break and an empty line", Inside, "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nHello=\n\n")
	add("QP, an escape in two lines", Apart, "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nHell=\n=6F=4\n2\n")
	add("QP in a part, a soft break in front of the boundary", Inside, mixed("Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nHello=", data))
	add("base64, lines that begin with blanks", Inside, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n  SGVs\n\tbG8h\n")
	add("base64 with too much padding", Apart, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8h====\n")
	add("base64, groups over line ends", Inside, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nS\nGV\nsbG8\nh\n")
	add("base64 of nothing", Inside, "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n\n")
	add("uuencode in a text", Inside, "Content-Type: text/plain\n\nbegin 644 a\n#86)C\n`\nend\n")
	// Signed and encrypted.
	add("signed, in capitals", Nowhere, strings.Replace(signed, "multipart/signed", "MULTIPART/Signed", 1))
	add("signed beside HTML", Apart, with("Content-Type: multipart/alternative; boundary=b", "b", signed, page))
	add("PGP that an Exchange has taken apart", Apart, mixed("Content-Type: text/plain\n\n", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n", "Content-Type: application/octet-stream; name=encrypted.asc\n\nx\n"))
	add("PGP in quoted-printable", Nowhere, "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=2D----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nHello.\n-----BEGIN PGP SIGNATURE-----\n\nx=3D\n-----END PGP SIGNATURE-----\n")
	add("PGP that is quoted", Inside, "Content-Type: text/plain\n\n> -----BEGIN PGP SIGNED MESSAGE-----\n> Hello.\n")
	add("S/MIME by its name alone", Nowhere, "Content-Type: application/octet-stream; name=\"smime.p7m\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"smime.p7m\"\n\nMIIB\n")
	add("S/MIME of old", Nowhere, "Content-Type: application/x-pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n")
	// For programs.
	add("a piece of a message", Nowhere, "Content-Type: message/partial; id=\"x@y\"; number=1; total=2\n\nFrom: a@example.com\n\nHello\n")
	add("a report that is forwarded", Inside, mixed(plain, with("Content-Type: multipart/report; report-type=delivery-status; boundary=r", "r", plain, "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n")))
	add("headers of a message", Apart, "Content-Type: text/rfc822-headers\n\nFrom: a@example.com\n")
	add("a calendar beside a text", Inside, mixed(plain, "Content-Type: text/calendar; name=a.ics\nContent-Disposition: attachment; filename=a.ics\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n"))
	add("a contact beside a text", Inside, mixed(plain, "Content-Type: text/vcard; charset=utf-8; name=\"a.vcf\"\nContent-Disposition: attachment; filename=\"a.vcf\"\n\nBEGIN:VCARD\nEND:VCARD\n"))
	// Structures.
	add("a preamble that looks like a part", Inside, "Content-Type: multipart/mixed; boundary=b\n\nContent-Type: text/html\n\n<p>not me</p>\n--b\n"+plain+"\n--b--\n")
	add("an epilogue with a signature", Inside, mixed(plain)+"\n-- \nanother list\n")
	add("an epilogue of dashes", Inside, mixed(plain)+"\n--\n---\n----\n")
	add("the boundary within a message again", Nowhere, mixed(plain, "Content-Type: message/rfc822\n\n"+mixed(plain, data)))
	add("a multipart with its mother's boundary", Nowhere, mixed(plain, mixed(plain, data)))
	add("related, which names nobody as its root", Inside, with("Content-Type: multipart/related; start=\"<none@x>\"; boundary=b", "b", page, data))
	add("related with alternatives", Inside, with("Content-Type: multipart/related; type=\"multipart/alternative\"; boundary=b", "b", with("Content-Type: multipart/alternative; boundary=a", "a", plain, page), data))
	add("a digest between texts", Inside, mixed(plain, with("Content-Type: multipart/digest; boundary=d", "d", "\nFrom: x@example.com\n\nInner.\n"), plain))
	add("a digest with a part that has no empty line", "", with("Content-Type: multipart/digest; boundary=b", "b", "From: x@example.com"))
	add("parallel", Inside, with("Content-Type: multipart/parallel; boundary=b", "b", plain, data))
	add("a hundred texts", Inside, mixed(strings.Split(strings.Repeat(plain+"\x00", 99)+plain, "\x00")...))
	add("markdown last", Apart, mixed("Content-Type: text/markdown\n\n*Hello.*\n"))
	add("an alternative without parts", Nowhere, mixed(plain, "Content-Type: multipart/alternative; boundary=a\n\n"))
	add("closed without a line end, and a blank", Inside, strings.TrimSuffix(mixed(plain, data), "\n")+" ")
	add("a message in a message in a message", Inside, mixed(plain, "Content-Type: message/rfc822\n\nSubject: 1\nContent-Type: message/rfc822\n\nSubject: 2\n\nHello.\n"))
	add("in UTF-8 as a whole", Inside, mixed(plain, "Content-Type: message/global\n\nSubject: gr\xc3\xbcn\n\nHello.\n"))
	// HTML.
	html := "Content-Type: text/html; charset=utf-8\n\n"
	add("HTML for an Outlook", Inside, html+"<html><!--[if mso]><body><![endif]--><body><p>Hello.</p></body></html>\n")
	add("HTML with a template", Inside, html+"<body><p>Hello.</p><template></body></template></body>\n")
	add("HTML with plaintext", Apart, html+"<body>Hello.<plaintext>\n</body>\n")
	add("HTML with a style behind the body", Inside, html+"<body>Hello.</body><style>p{}</style></html>\n")
	add("HTML with an attribute that looks like an end", Inside, html+"<body><p title=\"</body>\">Hello.</p></body>\n")
	add("HTML with CDATA", Inside, html+"<body><svg><![CDATA[</body>]]></svg>Hello.</body>\n")
	return list
}
