// SPDX-License-Identifier: BSD-3-Clause
// Platform "pc": what ACPI tells of it that does not depend on the VM (pc.h has the same numbers).
DefinitionBlock ("dsdt.aml", "DSDT", 2, "COOPVM", "PC", 1)
{
    Name (\_S5, Package () { 5, 5, 0, 0 })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_BBN, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0xCF8, 0xCF8, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0x1000, 0xFFFF, 0, 0xF000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xC0000000, 0xDFFFFFFF, 0, 0x20000000)
            })

            // Device d's INTA# to INTD# are GSI 16 + (d + pin) % 4.
            Method (_PRT, 0, Serialized)
            {
                Local0 = Package (128) {} // device * 4 + pin
                Local1 = 0
                While (Local1 < 128)
                {
                    Local2 = Package (4) { 0, 0, 0, 0 } // address, pin, source: a GSI itself, GSI
                    Local2 [0] = ((Local1 >> 2) << 16) | 0xFFFF
                    Local2 [1] = Local1 & 3
                    Local2 [3] = 16 + (((Local1 >> 2) + Local1) & 3)
                    Local0 [Local1] = Local2
                    Local1++
                }
                Return (Local0)
            }
        }

        // The configuration space is reserved here, too, as PCI Firmware 3.2, 4.1.2 wants it.
        Device (MRES)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xE0000000, 0x00100000)
                IO (Decode16, 0x600, 0x600, 1, 6)
            })
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x3F8, 0x3F8, 1, 8)
                IRQNoFlags () { 4 }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x70, 0x70, 1, 2)
            })
        }
    }
}
