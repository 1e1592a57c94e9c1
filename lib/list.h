/* Intrusive circular doubly linked list. Pure. The list's owner names the lock that guards it. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* Insert `item` before `where`; before the head means at the tail. */
static inline void list_insert_before(struct list *where, struct list *item)
{
	item->prev = where->prev;
	item->next = where;
	where->prev->next = item;
	where->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}

/* Take `item` out; it is left linked to itself, so removing it twice is harmless. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

/* Move the items before `end` (before the head: all) to the list `to`, whatever that held. */
static inline void list_cut(struct list *head, struct list *end, struct list *to)
{
	struct list *first = head->next, *last = end->prev;

	list_init(to);
	if (first == end)
		return;
	head->next = end;
	end->prev = head;
	*to = (struct list){first, last};
	first->prev = last->next = to;
}

#define LIST_ITEM(p, type, member) CONTAINER_OF(p, type, member)
#define LIST_FOR_EACH(p, head)	   for (struct list *p = (head)->next; p != (head); p = p->next)

#endif
