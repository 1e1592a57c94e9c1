#include "arch/x86_64/vmx/fields.h"

#define FIELD_ROW(width, name, code, text) [INDEX_##name] = {.encoding = (code), .words = (text)},
const struct vmcs_field_row vmcs_fields[VMCS_FIELDS] = {VMCS_FIELD_LIST(FIELD_ROW)};
