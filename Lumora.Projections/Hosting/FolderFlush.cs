using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lumora.Projections.Hosting;

/// <summary>.NET opens files only; a folder must be opened too, so that the names in it can be flushed to the disk.</summary>
public static class FolderFlush
{
    private const int ReadOnly = 0;

    /// <summary>When it returns, the names that were made or removed in <paramref name="folder"/> survive a loss of power.</summary>
    /// <exception cref="IOException">The disk did not take them.</exception>
    public static void ToDisk(string folder)
    {
        // Windows has no such call and needs none: NTFS journals its folders.
        if (OperatingSystem.IsWindows())
            return;
        using var handle = Open(folder);
        DiskFlush.ToDisk(handle);
    }

    private static SafeFileHandle Open(string folder)
    {
        var descriptor = OpenDescriptor(folder, ReadOnly);
        if (descriptor < 0)
            throw new IOException($"{folder} could not be opened.", new Win32Exception(Marshal.GetLastPInvokeError()));
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenDescriptor([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
