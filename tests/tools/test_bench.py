"""tools/bench.py and tools/profile.py on texts: what is taken from a machine's output and trace, and what --check
complains of."""
import pytest

from tools import bench, profile

SAID = """bench| bench,operation,median,min,mean
fresh| bench,ept_violation_4k_page_fresh_net,410,408,443
fresh| bench done
bench| bench,cpuid_leaf_0,170,169,171
bench| skip x2apic_eoi_write: no x2APIC
vm bench: made in 5000 ticks, 3500 of them to zero its RAM; 150 KiB beyond its RAM
core 0: from one VM to another: 99 times, 640 ticks each, 600 at least
core 0: scheduling 64 to 127 vCPUs: 7 times, 93 ticks each, 92 at least
"""
TRACE = """c
(0) Magic breakpoint
trace on
Tracing enabled for CPU0
(0).[1] [0x0000001e017c] 0008:000000000010017c (unk. ctxt): cpuid ; 0fa2
(0).[2] [0x00003de31f60] 0008:ffffffff80001004 (unk. ctxt): push rdi ; 57
(0).[3] [0x00003de31f61] 0008:ffffffff80002000 (unk. ctxt): vmread rax, rbx ; 0f
(0).[4] [0x00003de31f64] 0008:ffffffff80002003 (unk. ctxt): vmwrite rax, rbx ; 0f
trace off
(0).[5] [0x00003de31f64] 0008:ffffffff80002003 (unk. ctxt): vmwrite rax, rbx ; 0f
trace on
trace off
"""
NAMES = "ffffffff80001000 T first\nffffffff80001004 t .inner\nffffffff80002000 t second\nffffffff80002000 d data\n"


def reference(**values):
    """One row as reference.csv has it."""
    return {"op": {"must": "", "must_vmreads": "", "must_vmwrites": "", **values}}


def measured(ticks, reads="5", writes="1"):
    """One row as measured."""
    return {"op": {"trivisor": str(ticks), "vmreads": reads, "vmwrites": writes}}


def test_rows_of_the_guest():
    rows, skipped = bench.parse(SAID)
    assert rows["cpuid_leaf_0"] == {"operation": "cpuid_leaf_0", "trivisor": "170", "min": "169", "mean": "171"}
    # The mean is the figure of a fresh page; and rows are in the order of the traces.
    assert list(rows) == ["ept_violation_4k_page_fresh_net", "cpuid_leaf_0"]
    assert rows["ept_violation_4k_page_fresh_net"] == {
        "operation": "ept_violation_4k_page_fresh_net", "trivisor": "443", "min": "408", "mean": "443"}
    assert skipped == {"x2apic_eoi_write": "no x2APIC"}


def test_rows_of_our_own_accounting():
    rows = bench.own_rows(SAID)
    assert {name: row["trivisor"] for name, row in rows.items()} == {
        "vm_create_256m_net": "1500", "vm_memory_kib": "150", "vm_switch": "640", "schedule_64_to_127_vms": "93"}
    assert rows["vm_switch"]["min"] == "600" and set(rows["vm_switch"]) == set(bench.COLUMNS)


def test_a_trace_becomes_profiles():
    first, second = profile.profiles(TRACE.splitlines(), profile.Symbols(NAMES))
    assert dict(first.functions) == {profile.OUTSIDE: 1, "first": 1, "second": 2}
    assert (first.vmreads, first.vmwrites) == (1, 1)
    assert not second.functions
    assert profile.report("op", first) == "op: VMREAD 1, VMWRITE 1; first 1, second 2"


@pytest.mark.parametrize("limits, now, committed, count", [
    ({"must": "190"}, measured(190), {}, 0), ({"must": "190"}, measured(191), {}, 1),
    ({"must_vmreads": "5", "must_vmwrites": "1"}, measured(1), {}, 0),
    ({"must_vmreads": "5"}, measured(1, reads="6"), {}, 1), ({"must_vmwrites": "1"}, measured(1, writes="2"), {}, 1),
    ({}, measured(105), measured(100), 0), ({}, measured(106), measured(100), 1), ({}, measured(50), measured(100), 0),
    ({}, {}, measured(100), 1), ({"must": "190"}, {}, {}, 0),
])
def test_complaints(limits, now, committed, count):
    assert len(bench.complaints(reference(**limits), now, committed)) == count


def test_files_agree():
    rows, committed = bench.read_csv(bench.REFERENCE), bench.read_csv(bench.COMMITTED)
    assert committed.keys() <= rows.keys()
    assert set(next(iter(committed.values()))) == set(bench.COLUMNS)
    for name in bench.OVERHEAD_ROWS.values():
        assert name in committed


def test_the_documents_table_is_the_committed_result():
    text = (bench.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    rows, committed = bench.read_csv(bench.REFERENCE), bench.read_csv(bench.COMMITTED)
    for name, own in committed.items():
        reference = rows[name]
        cells = [name, reference["floor"], reference["kvm"], reference["xen"], own["trivisor"], reference["must"],
                 reference["aim"], own["vmreads"], own["vmwrites"]]
        assert "| " + " | ".join(cells) + " |\n" in text


def test_csv_is_read_as_it_was_written(tmp_path):
    rows = bench.own_rows(SAID)
    bench.write_csv(tmp_path / "out.csv", rows, rows)
    assert bench.read_csv(tmp_path / "out.csv") == rows
    assert (tmp_path / "out.csv").read_text().startswith("operation,trivisor,")
