/* SPDX-License-Identifier: BSD-3-Clause */
/* The models there are. To others nm_model_find() and nm_model_at() give them. */
#ifndef COOPVMM_NICMODELS_MODELS_H
#define COOPVMM_NICMODELS_MODELS_H

#include "model.h"

extern const struct nm_model nm_e1000;                 /* e1000.c */
extern const struct nm_model nm_ne2000;                /* ne2000_isa.c */
extern const struct nm_model nm_rtl8029;               /* rtl8029.c */
extern const struct nm_model nm_rtl8139, nm_rtl8139cp; /* rtl8139.c */
extern const struct nm_model nm_virtio_net;            /* virtio_net.c */

#endif
