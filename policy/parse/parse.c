/* SPDX-License-Identifier: ISC */
/*
 * Recursive descent by the tables of grammar.c.  Called by policy_compile(), once
 * per source.  After an error it goes on with the next line, so that one run
 * shows all errors.  Functions return 0, -EINVAL for an error that has been
 * reported, or -ENOMEM, which ends the loading.
 */

#include "parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

/* ---- errors ------------------------------------------------------------ */

int
parser_fail(struct parser *p, unsigned source, unsigned line, unsigned column,
    const char *fmt, ...)
{
	struct policy_error e = {
		.file = p->sources[source].name, .line = line, .column = column
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	p->failed = true;
	if (p->report != NULL)
		p->report(p->arg, &e);
	return -EINVAL;
}

#define FAIL(p, ...) \
	parser_fail(p, (p)->source, (p)->lex.line, (p)->lex.column, __VA_ARGS__)

static bool
at_end(const struct parser *p)
{
	return p->lex.kind == '\n' || p->lex.kind == LEX_END;
}

/* Says what stands there instead of what. */
static int
fail_expected(struct parser *p, const char *what)
{
	int c = p->lex.kind;

	if (at_end(p))
		return FAIL(p, "expected %s, not the end of the line", what);
	if (c == LEX_WORD)
		return FAIL(p, "expected %s, not \"%.24s\"", what, p->lex.word);
	if (c > ' ' && c < 0x7f)
		return FAIL(p, "expected %s, not '%c'", what, c);
	return FAIL(p, "expected %s, not the byte 0x%02x", what, (unsigned)c);
}

/* ---- words ------------------------------------------------------------- */

/* Takes one of the words first to end - 1; before is for the error only. */
static int
parse_choice(struct parser *p, const struct keyword *words, size_t first,
    size_t end, const char *before, unsigned *out)
{
	char list[120];
	struct text t = text_in(list, sizeof(list));

	for (size_t i = first; i < end; i++) {
		if (strcmp(p->lex.word, words[i].word) == 0) {
			*out = (unsigned)i;
			lex_next(&p->lex);
			return 0;
		}
		text_add(&t, "%s%s", before, words[i].word);
		before = i + 2 < end ? ", " : " or ";
	}
	return fail_expected(p, list);
}

static int
parse_value(struct parser *p, enum value_type type, uint64_t *out)
{
	int r;

	if (type == VALUE_NONE)
		return 0;
	r = value_read(type, p->lex.word, out);
	if (r == -ERANGE)
		return FAIL(p, "%.24s is too large", p->lex.word);
	if (r != 0)
		return fail_expected(p, value_what(type));
	lex_next(&p->lex);
	return 0;
}

/* Checks that a name stands there; does not take it yet. */
static int
check_name(struct parser *p, const char *what)
{
	size_t n = strlen(p->lex.word);

	if (n == 0 || strpbrk(p->lex.word, ":/") != NULL)
		return fail_expected(p, what);
	if (n > POLICY_NAME_MAX)
		return FAIL(p, "the name is too long");
	return 0;
}

static void
take_name(struct parser *p, char name[POLICY_NAME_MAX + 1])
{
	memcpy(name, p->lex.word, strlen(p->lex.word) + 1);
	lex_next(&p->lex);
}

/* ---- parts of lines ---------------------------------------------------- */

static int
resolve_name(struct parser *p, struct draft_line *line)
{
	const struct policy_resolver *by = p->resolver;
	const char *name = p->lex.word;
	bool user = line->subject == SUBJECT_USER;
	uid_t uid;
	gid_t gid;
	int r;

	r = check_name(p, "a name");
	if (r != 0)
		return r;
	r = user ? by->user(by->arg, name, &uid)
		 : by->group(by->arg, name, &gid);
	if (r != 0)
		return FAIL(
		    p, "there is no %s %s", subjects[line->subject].word, name);
	line->id = user ? uid : gid;
	take_name(p, line->name);
	return 0;
}

static int
parse_subject(struct parser *p, struct draft_line *line)
{
	uint64_t id = 0;
	unsigned kind = 0;
	int r;

	r = parse_choice(p, subjects, 0, SUBJECT_COUNT, "", &kind);
	if (r != 0)
		return r;
	line->subject = kind;
	if (kind == SUBJECT_USER || kind == SUBJECT_GROUP)
		return resolve_name(p, line);
	r = parse_value(p, subjects[kind].type, &id);
	line->id = (uint32_t)id;
	return r;
}

static int
parse_word(struct parser *p, const char *word)
{
	if (strcmp(p->lex.word, word) != 0)
		return fail_expected(p, word);
	lex_next(&p->lex);
	return 0;
}

/* Takes the word if it is next, and the value behind it. */
static int
parse_optional(
    struct parser *p, const char *word, enum value_type type, uint64_t *out)
{
	if (strcmp(p->lex.word, word) != 0)
		return 0;
	lex_next(&p->lex);
	return parse_value(p, type, out);
}

/* Reads a target of a kind below end; it belongs to the list at once. */
static int
read_target(struct parser *p, struct target **list, unsigned end)
{
	struct target *t = calloc(1, sizeof(*t));
	unsigned kind = TARGET_BDF;
	uint64_t address;
	int r = 0;

	if (t == NULL)
		return -ENOMEM;
	*list = t;
	t->at = t->expect = VALUE_ABSENT;
	if (value_read(VALUE_ADDRESS, p->lex.word, &address) != 0)
		r = parse_choice(
		    p, targets, TARGET_SLOT, end, "a device address, ", &kind);
	t->kind = kind;
	if (r == 0)
		r = parse_value(p, targets[kind].type, &t->key);
	if (r == 0 && kind == TARGET_ID)
		r = parse_optional(p, "at", VALUE_ADDRESS, &t->at);
	return r;
}

/* The pool itself is found when all are known; see load.c. */
static int
parse_target(struct parser *p, struct draft_line *line)
{
	int r = read_target(p, &line->targets, TARGET_COUNT);

	if (r != 0 || line->targets->kind != TARGET_POOL)
		return r;
	line->column = p->lex.column;
	r = check_name(p, "the name of a pool");
	if (r == 0)
		take_name(p, line->pool);
	return r;
}

static int
parse_use(struct parser *p, struct draft_line *line)
{
	int r = parse_word(p, "use");

	return r == 0 ? parse_target(p, line) : r;
}

/* REASON on */
static int
parse_reason(struct parser *p, struct draft_line *line)
{
	struct keyword words[REASON_COUNT];
	enum reason reasons[REASON_COUNT];
	unsigned n = 0, i;
	int r;

	for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
		words[n].word = reason_keyword(reason);
		reasons[n] = reason;
		n += reason_tolerable(reason);
	}
	r = parse_choice(p, words, 0, n, "", &i);
	if (r != 0)
		return r;
	line->reason = reasons[i];
	return parse_word(p, "on");
}

/* One of the words first to end - 1 and its value. */
static int
parse_field(struct parser *p, struct draft_line *line, size_t first, size_t end)
{
	struct lexer before = p->lex;
	unsigned i;
	int r = parse_choice(p, fields, first, end, "", &i);

	if (r != 0)
		return r;
	if ((line->given & 1U << i) != 0) {
		p->lex = before;
		return FAIL(p, "%s is given twice", fields[i].word);
	}
	line->given |= 1U << i;
	line->value[i] = 1; /* of a word that stands alone */
	return parse_value(p, fields[i].type, &line->value[i]);
}

/* Options may be missing. */
static int
parse_options(struct parser *p, struct draft_line *line)
{
	int r = 0;

	while (r == 0 && !at_end(p))
		r = parse_field(p, line, 0, FIELD_OPTIONS_END);
	line->targets->expect = line->value[FIELD_EXPECT];
	return r;
}

/* A line that limits nothing is a mistake. */
static int
parse_limits(struct parser *p, struct draft_line *line)
{
	int r;

	do
		r = parse_field(p, line, FIELD_OPTIONS_END, FIELD_END);
	while (r == 0 && !at_end(p));
	return r;
}

/* ---- pools ------------------------------------------------------------- */

static void
skip_to(struct parser *p, int kind)
{
	while (p->lex.kind != kind && !at_end(p))
		lex_next(&p->lex);
}

static int
pool_name(struct parser *p, struct draft_line *line)
{
	const struct draft_line *first;
	int r = check_name(p, "a name for the pool");

	if (r != 0)
		return r;
	line->column = p->lex.column;
	take_name(p, line->pool);
	r = draft_add_pool(&p->draft, line, &first);
	if (r == -EEXIST)
		return parser_fail(p, p->source, line->line, line->column,
		    "pool %s is defined at %s:%u already", line->pool,
		    p->sources[first->source].name, first->line);
	return r;
}

/* A line begins inside the braces: the closing one was forgotten. */
static bool
at_verb(const struct parser *p)
{
	for (enum verb v = 0; v < VERB_COUNT; v++)
		if (v != VERB_POOL && strcmp(p->lex.word, verbs[v].word) == 0)
			return true;
	return false;
}

static int
pool_entries(struct parser *p, struct draft_line *line)
{
	struct target **tail = &line->targets;
	int r;

	while (p->lex.kind != '}') {
		if (p->lex.kind == LEX_END || at_verb(p))
			return FAIL(
			    p, "the pool of line %u has no }", line->line);
		if (p->lex.kind == '\n') {
			lex_next(&p->lex);
			continue;
		}
		r = read_target(p, tail, TARGET_POOL);
		if (r == -ENOMEM)
			return r;
		if (r == 0)
			r = parse_optional(
			    p, "expect", VALUE_IDS, &(*tail)->expect);
		if (r != 0)
			skip_to(p, '}');
		tail = &(*tail)->next;
	}
	lex_next(&p->lex);
	return 0;
}

/* Without a good name the entries are read all the same: one error is enough. */
static int
parse_pool(struct parser *p, struct draft_line *line)
{
	int r = pool_name(p, line);

	if (r == -ENOMEM)
		return r;
	if (r != 0)
		skip_to(p, '{');
	if (p->lex.kind != '{')
		return r == 0 ? fail_expected(p, "{") : r;
	lex_next(&p->lex);
	return pool_entries(p, line);
}

/* ---- lines ------------------------------------------------------------- */

static int
parse_line(struct parser *p)
{
	static int (*const parse[PART_COUNT])(
	    struct parser *, struct draft_line *) = {
		[PART_SUBJECT] = parse_subject,
		[PART_USE] = parse_use,
		[PART_TARGET] = parse_target,
		[PART_REASON] = parse_reason,
		[PART_OPTIONS] = parse_options,
		[PART_LIMITS] = parse_limits,
		[PART_POOL] = parse_pool,
	};
	struct draft_line *line;
	unsigned verb = 0;
	int r = draft_add_line(&p->draft, p->source, p->lex.line, &line);

	if (r == 0)
		r = parse_choice(p, verbs, 0, VERB_COUNT, "", &verb);
	if (r != 0)
		return r;
	line->verb = verb;
	for (const enum part *part = grammar[verb]; r == 0 && *part; part++)
		r = parse[*part](p, line);
	if (r == 0 && !at_end(p))
		r = fail_expected(p, "the end of the line");
	return r;
}

int
parse_source(struct parser *p, unsigned source)
{
	const struct policy_source *text = &p->sources[source];
	int r = 0;

	p->source = source;
	lex_init(&p->lex, text->text, text->len);
	while (r != -ENOMEM && p->lex.kind != LEX_END) {
		if (p->lex.kind == '\n') {
			lex_next(&p->lex);
			continue;
		}
		r = parse_line(p);
		if (r == -EINVAL)
			skip_to(p, '\n');
	}
	return r == -ENOMEM ? r : 0;
}
