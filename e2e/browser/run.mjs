// Looks at the pages of an archive in a real browser, as people do: narrow and wide,
// large, in the dark, by keyboard alone, with and without scripts. main.go starts it.
//
//	node run.mjs ADDRESS PORT DIR    the list's address, where it is served, where screenshots go
import { readFileSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import { HtmlValidate } from 'html-validate';

const [base, port, dir] = process.argv.slice(2);
const axe = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const host = new URL(base).hostname;
const pages = ['', '0/1.html', '0/5.html', '0/7.html', '0/8.html', 't/0/1.html', 't/0/5.html', '2026-09.html', 'search', 'search?q=parser', 'search?q=nothing%20of%20that%20kind',
	'join', 'options', `options/${process.env.ENTER}`, `u/${process.env.LEAVE}`];
const own = ['options', 'options?saved', 'mod', 'mod?done=1', 'members', 'members?done=1', 'bounces', 'settings', 'settings?done=1', 'activity']; // with the cookie of an owner
const cookie = `superlist=${process.env.COOKIE}`;
let failed = 0;
const wrong = (what) => { failed++; console.log('FAIL ' + what); };

const browser = await puppeteer.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
	args: ['--no-sandbox', '--disable-gpu', `--host-resolver-rules=MAP ${host} 127.0.0.1:${port}, MAP * ~NOTFOUND`],
});

// open shows a page in a window, and hears what it asks for and complains of.
async function open(path, { width = 1200, height = 900, dark = false, script = true, owner = false } = {}) {
	const page = await browser.newPage();
	if (owner) await page.setExtraHTTPHeaders({ cookie });
	await page.setViewport({ width, height });
	await page.setCacheEnabled(false);
	await page.setJavaScriptEnabled(script);
	await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
	page.on('request', (r) => { // data: is Chromium's own, the icon beside a date
		if (!r.url().startsWith('data:') && new URL(r.url()).hostname !== host) wrong(`${path} asks ${r.url()}`);
	});
	page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('favicon') && !m.location().url?.endsWith('/favicon.ico')) wrong(`${path}: ${m.text()}`); });
	page.on('pageerror', (e) => wrong(`${path}: ${e}`));
	const answer = await page.goto(base + path, { waitUntil: 'load' });
	if (answer.status() !== 200) wrong(`${path}: ${answer.status()}`);
	return page;
}

const validate = new HtmlValidate({
	extends: ['html-validate:standard'],
	rules: { 'long-title': 'off', 'no-trailing-whitespace': 'off', 'no-raw-characters': ['error', { relaxed: true }] },
});
const bare = (page) => page.evaluate(() => ({
	sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth,
	scripts: document.scripts.length,
	handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on') || a.name === 'style')).length,
}));

for (const [path, owner] of [...pages.map((p) => [p, false]), ...own.map((p) => [p, true])]) {
	const page = await open(path, { owner });
	const text = await (await fetch(`http://127.0.0.1:${port}${new URL(base).pathname}${path}`, { headers: owner ? { 'X-Host': host, cookie } : { 'X-Host': host } })).text();
	const report = await validate.validateString(text);
	for (const r of report.results) for (const m of r.messages) wrong(`${path}: HTML: ${m.line}: ${m.ruleId}: ${m.message}`);

	for (const dark of [false, true]) {
		await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
		await page.setBypassCSP(true);
		await page.reload();
		await page.evaluate(axe);
		const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
		for (const v of found.violations) wrong(`${path}: axe: ${v.impact}: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).slice(0, 2)}`);
		await page.setBypassCSP(false);
	}
	await page.close();
	for (const width of [320, 300]) { // 320 px; and 1200 px at 400 %
		const narrow = await open(path, { width, height: 600, owner });
		const is = await bare(narrow);
		if (is.sideways) wrong(`${path}: at ${width} px it has to be moved sideways`);
		if (is.scripts || is.handlers) wrong(`${path}: ${is.scripts} scripts, ${is.handlers} handlers`);
		await narrow.close();
	}
}

// By keyboard alone, without scripts: to the search, its first post, its thread.
{
	const page = await open('', { script: false });
	const until = async (what, most = 80) => {
		for (let i = 0; i < most; i++) {
			await page.keyboard.press('Tab');
			const focus = await page.accessibility.snapshot({ interestingOnly: true }).then(function find(n) {
				return n && (n.focused && n.role !== 'RootWebArea' ? n : (n.children || []).map(find).find(Boolean));
			});
			if (focus && what(focus)) return true;
		}
		wrong('by keyboard nobody gets to ' + what);
		return false;
	};
	if (await until((n) => n.role === 'searchbox')) {
		await page.keyboard.type('parser from:bob');
		await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
		if (!page.url().includes('search?q=parser+from%3Abob')) wrong('the search leads to ' + page.url());
		if (await until((n) => n.role === 'link' && n.name.startsWith('Re: Does anybody'))) {
			await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
			if (!page.url().endsWith('/0/2.html')) wrong('the post leads to ' + page.url());
			if (await until((n) => n.role === 'link' && n.name === 'The whole thread')) {
				await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
				if (!page.url().endsWith('/t/0/1.html#m2')) wrong('the thread is ' + page.url());
			}
		}
	}
	await page.close();
}

// For docs: what it looks like.
if (dir) {
	for (const [name, path, how] of [
		['front-light', '', {}], ['front-dark', '', { dark: true }], ['thread-light', 't/0/5.html', {}], ['thread-dark-narrow', 't/0/1.html', { dark: true, width: 390, height: 844 }],
		['post-narrow', '0/2.html', { width: 390, height: 844 }], ['search-light', 'search?q=parser', {}],
		['join-narrow', 'join', { width: 390, height: 844 }], ['moderate-light', 'mod', { owner: true }], ['members-dark', 'members', { owner: true, dark: true }],
		['settings-light', 'settings', { owner: true }], ['activity-narrow', 'activity', { owner: true, width: 390, height: 844 }],
	]) {
		const page = await open(path, how);
		await page.screenshot({ path: `${dir}/${name}.png`, optimizeForSpeed: false });
		await page.close();
	}
}
await browser.close();
console.log(failed ? `${failed} findings` : `${pages.length + own.length} pages: nothing found`);
process.exit(failed ? 1 : 0);
