using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lumora.Projections.Hosting;

/// <summary>
/// Flushes a file to the disk and says so when the disk refuses. .NET's own flush takes a disk's error (EIO) for success on Linux,
/// and what comes next here is a signature or a destroyed key that relies on those bytes.
/// </summary>
public static class DiskFlush
{
    // errno(3), the same on all processors that .NET runs on.
    private const int Interrupted = 4;
    private const int InvalidArgument = 22;
    private const int ReadOnlyFileSystem = 30;
    private const int NotSupported = 95;

    /// <summary>When it returns, what was written to <paramref name="file"/> survives a loss of power.</summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    public static void ToDisk(FileStream file)
    {
        file.Flush();
        ToDisk(file.SafeFileHandle);
    }

    /// <inheritdoc cref="ToDisk(FileStream)"/>
    public static void ToDisk(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }

        while (Synchronize(file) < 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                // A kind of file that has nothing to flush.
                case InvalidArgument or ReadOnlyFileSystem or NotSupported:
                    return;
                case var error:
                    throw new IOException("The disk did not take what was written.", new Win32Exception(error));
            }
        }
    }

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(SafeFileHandle file);
}
