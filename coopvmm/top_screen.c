/* SPDX-License-Identifier: BSD-3-Clause */
/* `coopvmm top` on a terminal: the printed report, drawn anew each interval, scrollable. */
#include <errno.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "top.h"

#define KEYS "q quit   +/- interval   arrows scroll"

struct view {
    char *text; /* the report */
    int first;  /* line at the top of the screen */
    unsigned delay_ms;
};

static void render(struct view *v, const struct top *t)
{
    size_t size;
    FILE *f;

    free(v->text);
    v->text = NULL;
    f = open_memstream(&v->text, &size);
    if (!f)
        return;
    top_print(t, f);
    fclose(f);
}

static int count_lines(const char *text)
{
    int n = 0;

    for (; text && *text; text++)
        n += *text == '\n';
    return n;
}

static const char *skip_lines(const char *text, int n)
{
    while (text && n-- > 0) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text;
}

static void draw(struct view *v)
{
    int last = count_lines(v->text) - (LINES - 1);
    const char *line;

    v->first = v->first > last ? last : v->first;
    v->first = v->first < 0 ? 0 : v->first;
    erase();
    line = skip_lines(v->text, v->first);
    for (int y = 0; line && *line && y < LINES - 1; y++) {
        size_t len = strcspn(line, "\n");

        mvaddnstr(y, 0, line, (int)(len < (size_t)COLS ? len : (size_t)COLS));
        line = line[len] ? line + len + 1 : NULL;
    }
    attron(A_REVERSE);
    mvprintw(LINES - 1, 0, "%-*.*s", COLS - 1, COLS - 1, KEYS);
    attroff(A_REVERSE);
    refresh();
}

/* @return false: quit */
static bool on_key(struct view *v, int key)
{
    switch (key) {
    case 'q':
    case 'Q': return false;
    case '+': v->delay_ms = v->delay_ms < 30000 ? v->delay_ms * 2 : 60000; break;
    case '-': v->delay_ms = v->delay_ms > 200 ? v->delay_ms / 2 : 100; break;
    case KEY_UP: v->first--; break;
    case KEY_DOWN: v->first++; break;
    case KEY_PPAGE: v->first -= LINES - 2; break;
    case KEY_NPAGE: v->first += LINES - 2; break;
    }
    return true;
}

static long now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Serves the keyboard until the next report is due. @return false: quit */
static bool wait_keys(struct view *v)
{
    long began = now_ms(), left;

    while ((left = began + (long)v->delay_ms - now_ms()) > 0) {
        int key;

        timeout((int)left);
        key = getch();
        if (key == ERR)
            continue; /* the time is over, or a signal came */
        if (!on_key(v, key))
            return false;
        draw(v);
    }
    return true;
}

static int loop(struct top *t, struct view *v)
{
    int err;

    do {
        err = top_sample(t);
        if (err)
            return err;
        render(v, t);
        draw(v);
    } while (wait_keys(v));
    return 0;
}

int top_screen(struct top *t, unsigned delay_ms)
{
    struct view v = {.delay_ms = delay_ms};
    SCREEN *screen;
    int err;

    setlocale(LC_CTYPE, "");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cmd_fail("top", "this is no terminal; --batch N prints N reports");
    screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return cmd_fail("top", "this terminal (TERM) is not known; --batch N prints N reports");
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    err = loop(t, &v);
    endwin();
    delscreen(screen);
    free(v.text);
    if (err == -ENOENT)
        printf("testbed %s ended\n", t->ref.name);
    return err == 0 || err == -ENOENT ? CMD_OK : cmd_fail("top", "%s", strerror(-err));
}
