/* A resident filter on libmilter that lets everything pass: what a milter costs
 * at least where it runs all the time. Like superlist-milter it hears of client,
 * sender, recipients, header and body. */
#include <libmilter/mfapi.h>

static sfsistat client(SMFICTX *c, char *host, _SOCK_ADDR *a) { return SMFIS_CONTINUE; }
static sfsistat helo(SMFICTX *c, char *name) { return SMFIS_CONTINUE; }
static sfsistat from(SMFICTX *c, char **args) { return SMFIS_CONTINUE; }
static sfsistat rcpt(SMFICTX *c, char **args) { return SMFIS_CONTINUE; }
static sfsistat header(SMFICTX *c, char *name, char *value) { return SMFIS_CONTINUE; }
static sfsistat eoh(SMFICTX *c) { return SMFIS_CONTINUE; }
static sfsistat body(SMFICTX *c, unsigned char *p, size_t n) { return SMFIS_CONTINUE; }
static sfsistat eom(SMFICTX *c) { return SMFIS_CONTINUE; }

int main(int argc, char **argv)
{
	struct smfiDesc filter = {
		"nothing", SMFI_VERSION, 0, client, helo, from, rcpt, header, eoh, body, eom, 0, 0, 0, 0, 0
	};

	if (argc != 2 || smfi_setconn(argv[1]) == MI_FAILURE || smfi_register(filter) == MI_FAILURE)
		return 1;
	return smfi_main();
}
