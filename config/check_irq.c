/* SPDX-License-Identifier: BSD-3-Clause */
/* A VM's interrupt lines: what its machine has taken, and what its devices share. */
#include "check.h"

static bool is_pci(const struct cfg_device *d)
{
    const struct nm_model *m = nm_model_find(d->model);

    return m && m->pci;
}

static void check_line(struct check *k, const struct machine *m, const struct cfg_device *d,
                       const struct doc_node *n)
{
    const char *owner = m->line_owner[d->irq % MACHINE_ISA_LINES];

    if (!nm_model_find(d->model))
        return;
    if (is_pci(d) && m->pci_lines && d->irq != CFG_IRQ_PCI)
        report_node(k->report, check_at(n, "irq"), "%s; remove irq", m->pci_lines);
    if (!is_pci(d) && owner)
        report_node(k->report, check_at(n, "irq"), "interrupt line %u is %s %s; use %s", d->irq,
                    owner, m->where, m->free_lines);
}

void check_irqs(struct check *k, const struct cfg_vm *vm, const struct doc_node *devices)
{
    const struct cfg_device *user[MACHINE_ISA_LINES] = {NULL};
    const struct machine *m = machine_of(vm);
    const struct doc_node *n = doc_at(devices, 0);

    for (unsigned i = 0; i < vm->devices_count; i++, n = n->next) {
        const struct cfg_device *d = &vm->devices[i];
        const struct cfg_device **first = &user[d->irq % MACHINE_ISA_LINES];

        check_line(k, m, d, n);
        if (is_pci(d) && m->pci_lines)
            continue;
        if (*first && !(is_pci(d) && is_pci(*first)))
            report_node(k->report, check_at(n, "irq"),
                        "interrupt line %u of %s is that of %s already; set irq to a free line",
                        d->irq, d->name, (*first)->name);
        if (!*first)
            *first = d;
    }
}
